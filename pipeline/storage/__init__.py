"""Storage: files that appear whole or not at all, locks, receipts, and stores by URI."""
