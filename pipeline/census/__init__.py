"""Census: what a file holds, element by element, before any codec sees it; what no rule knows is named."""
