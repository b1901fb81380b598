"""The morning report in a real browser: sliders, filters, keyboard, widths, and nothing from the network.

Needs Chromium and its driver: `apt-get install chromium chromium-driver`.
"""

import json
import os
import shutil
import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.reports import HOSTILE, KEYS, ODD, colored, item, summary, with_plan, write_report
from tests.synthetic import tiny_weights

CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
pytestmark = pytest.mark.skipif(
    not (CHROMIUM and DRIVER) and not os.environ.get("CI"),
    reason="no Chromium here: apt-get install chromium chromium-driver",
)

FLAGS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update",
    "--disable-sync", "--no-first-run", "--hide-scrollbars", "--disable-dev-shm-usage",
)  # fmt: skip
SIZES = [(400, 800), (1400, 900)]
ASIDE, LATER = "00000000000000dd", "00000000000000ee"


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    """The report of three colored files, one set aside and one waiting, as the address that a browser opens."""
    folder = tmp_path_factory.mktemp("night")
    out = colored(folder, tiny_weights(folder / "tiny.safetensors"))
    summary(out, running=True)
    error = {"stage": "paint", "error": "the disk <b>broke</b>", "attempts": 1}
    item(out, ASIDE, id="Élysées 9", source="src/aside.tif", out="aside.tif", state="set-aside", error=error)
    with_plan(out, KEYS[2])
    item(out, LATER, source=f"src/{'long' * 60}.mkv", out="later.mkv", kind="reel", state="waiting")
    with pytest.MonkeyPatch.context() as changed:
        changed.setattr("workflows.report.report_pictures.LONGEST", 100)  # so that these small files can be enlarged
        return write_report(out).as_uri()


@pytest.fixture(scope="module")
def chromium(tmp_path_factory):
    """One browser for all tests, with what it loads and says written down."""
    from selenium import webdriver

    assert CHROMIUM, "CI drives Chromium: apt-get install chromium chromium-driver"
    assert DRIVER, "CI drives Chromium: apt-get install chromium chromium-driver"
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for flag in (*FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('profile')}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(options, webdriver.ChromeService(DRIVER))
    yield driver
    driver.quit()


@pytest.fixture
def browser(chromium, address) -> Iterator[Any]:
    """The report, just opened at 1400 pixels; at the end nothing was complained about and nothing fetched."""
    width(chromium, *SIZES[1])
    for kind in ("browser", "performance"):
        chromium.get_log(kind)
    chromium.get(address)
    yield chromium
    assert chromium.get_log("browser") == []
    messages = [json.loads(entry["message"])["message"] for entry in chromium.get_log("performance")]
    asked = [m["params"]["request"]["url"] for m in messages if m["method"] == "Network.requestWillBeSent"]
    folder = address.rsplit("/", 1)[0]
    assert asked
    assert [url for url in asked if not url.startswith((f"{folder}/", "data:"))] == []


def width(driver, wide, high):
    """Make the page's window so large."""
    size = {"width": wide, "height": high, "deviceScaleFactor": 1, "mobile": False}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)


def press(driver, *keys):
    """Press keys, wherever the focus is."""
    from selenium.webdriver import ActionChains

    ActionChains(driver).send_keys(*keys).perform()


def keys():
    """Names of keys."""
    from selenium.webdriver.common.keys import Keys

    return Keys


def names_of(elements):
    """What a screen reader calls each of them. Chromium finds out in the background."""
    until = time.monotonic() + 10
    while not all(names := [element.accessible_name for element in elements]) and time.monotonic() < until:
        time.sleep(0.1)
    return names


def one(driver, selector):
    """The first element like that."""
    return driver.find_element("css selector", selector)


def shown(driver):
    """Keys of the files that can be seen."""
    files = driver.find_elements("css selector", "article")
    return {file.get_attribute("id")[1:] for file in files if file.is_displayed()}


def settled(driver, slider):
    """A screenshot of a slider's picture, when both its pictures are there."""
    done = "const done = arguments[1]; Promise.all([...arguments[0].parentElement.querySelectorAll('img')]"
    driver.execute_script("arguments[0].scrollIntoView({block: 'center'})", slider)
    driver.execute_async_script(
        f"{done}.map(i => i.decode())).then(() => requestAnimationFrame(() => done(1)))", slider
    )
    return slider.find_element("xpath", "..").screenshot_as_png


@pytest.mark.parametrize("key", KEYS[:1])
def test_the_slider_moves_by_keyboard(browser, key):
    """Arrow, Home and End keys move a slider; the picture changes with it, from all gray to all color; it is told."""
    slider = one(browser, f"#f{key} input[type=range]")
    middle = settled(browser, slider)
    browser.execute_script("arguments[0].focus()", slider)
    press(browser, keys().HOME)
    gray = settled(browser, slider)
    assert slider.get_attribute("value") == "0"
    press(browser, keys().END)
    color = settled(browser, slider)
    assert slider.get_attribute("value") == "100"
    assert slider.get_attribute("aria-valuetext") == "100 % in color"
    press(browser, keys().ARROW_LEFT, keys().ARROW_LEFT)
    assert slider.get_attribute("value") == "98"
    assert len({middle, gray, color}) == 3
    assert chroma(gray) < 1
    assert chroma(gray) < chroma(middle) < chroma(color)


def chroma(png):
    """How far a screenshot's pixels are from gray, on average, without its right edge, where the handle may be."""
    import imagecodecs

    rgb = imagecodecs.png_decode(png)[4:-40, 20:-32, :3].astype(int)
    return (rgb.max(axis=2) - rgb.min(axis=2)).mean()


def test_every_slider_and_picture_says_what_it_is(browser):
    """Each slider has a name of its own that tells file and shot, and each picture is there at its full size."""
    sliders = browser.find_elements("css selector", ".w input")
    labels = names_of(sliders)
    assert len(labels) == len(set(labels)) == 4
    assert f"{HOSTILE}, Page 0: share shown in color" in labels
    assert "c.mkv, Shot 2: share shown in color" in labels
    for slider in sliders:
        settled(browser, slider)
    sizes = browser.execute_script("return [...document.images].map(i => [i.naturalWidth, i.width, i.height])")
    assert all(natural and wide and high for natural, wide, high in sizes)


def test_filters_hide_and_show(browser):
    """State and kind, alone and together; how many are shown is told; what no file is like is told too."""
    everything = {*KEYS, ASIDE, LATER}
    assert shown(browser) == everything
    for value, expected in (("done", set(KEYS)), ("set-aside", {ASIDE}), ("waiting", {LATER}), ("", everything)):
        one(browser, f"input[name=state][value='{value}']").click()
        assert shown(browser) == expected
        assert one(browser, "output").text == f"{len(expected)} of 5 files shown"
    one(browser, "select[name=kind] option[value=reel]").click()
    assert shown(browser) == {KEYS[2], LATER}
    one(browser, "input[name=state][value=done]").click()
    assert shown(browser) == {KEYS[2]}
    assert not one(browser, "#none").is_displayed()
    one(browser, "input[name=state][value=set-aside]").click()
    assert shown(browser) == set()
    assert one(browser, "#none").is_displayed()


def test_flagged_files_are_those_with_flags(browser):
    """The filter shows just the files that carry a flag on the page."""
    one(browser, "input[name=state][value=flagged]").click()
    found = browser.find_elements("css selector", "article:has(.q)")
    assert shown(browser) == {file.get_attribute("id")[1:] for file in found}


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("onerror", {KEYS[0]}), ("ALERT(2)", {KEYS[0]}), ("elysees", {ASIDE}), ("写真 50", {KEYS[1]}),
        ("box 1", {KEYS[0]}), ("disk", set()), ("done", set()), ("c.mkv reel", set()), ("  ", {*KEYS, ASIDE, LATER}),
    ],
)  # fmt: skip
def test_free_text_finds_names_ids_and_tags(browser, words, expected):
    """All words must be there, in name, folder or catalog id; case and accents do not matter."""
    one(browser, "input[type=search]").send_keys(words)
    assert shown(browser) == expected


def test_free_text_finds_scene_tags(browser):
    """A scene tag finds the files that show it."""
    tag = one(browser, f"#f{KEYS[2]} figcaption .t").text
    one(browser, "input[type=search]").send_keys(tag)
    assert KEYS[2] in shown(browser)
    assert ASIDE not in shown(browser)


@pytest.mark.parametrize("size", SIZES)
def test_a_picture_is_enlarged(browser, size):
    """A click shows the pair as large as it was kept, in color first; within the window, and closed by Escape. Without
    scripts it is a link to the picture.
    """
    width(browser, *size)
    link = one(browser, ".z")
    wide = int(link.get_attribute("data-w"))
    browser.execute_script("arguments[0].scrollIntoView(); arguments[0].click()", link)
    shown = browser.find_elements("css selector", "dialog[open] img")
    assert [image.accessible_name for image in shown] == ["gray", "colored"]
    until = time.monotonic() + 10
    while not (sizes := [image.get_property("naturalWidth") for image in shown])[1] and time.monotonic() < until:
        time.sleep(0.1)
    assert sizes == [wide, wide]
    box = one(browser, "dialog").rect
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= size[0]
    assert link.get_attribute("href").endswith("la.jpg")
    press(browser, keys().ESCAPE)
    assert not browser.find_elements("css selector", "dialog[open]")


def test_tab_reaches_the_controls_in_order(browser):
    """From the top: the legend, state, kind, words, then the files' links, what was checked, and
    sliders, top down."""
    press(browser, keys().TAB)
    found = []
    for _ in range(80):
        at = browser.execute_script(
            "const e = document.activeElement; return [e.tagName.toLowerCase(), e.type || '',"
            " e.textContent.slice(0, 9), (e.closest('article') || {}).id || '']"
        )
        if at[0] == "body":
            break
        found.append(at)
        press(browser, keys().TAB)
    kinds = [(tag, kind) for tag, kind, *_ in found]
    assert kinds[:4] == [("summary", ""), ("input", "radio"), ("select", "select-one"), ("input", "search")]
    assert len([kind for kind in kinds if kind == ("input", "range")]) == 4
    order = browser.execute_script("return [...document.querySelectorAll('article')].map(a => a.id)")
    visited = list(dict.fromkeys(at[3] for at in found[4:]))
    assert visited == [i for i in order if i in visited]
    assert {f"f{key}" for key in KEYS} <= set(visited)
    inside = [(tag, kind, text) for tag, kind, text, file in found if file == f"f{KEYS[0]}"]
    assert [x[0] for x in inside] == ["a", "a", "a", "summary", "input", "a"]


def test_a_shots_command_is_copied_by_keyboard(browser):
    """Tab reaches the button below each shot; Enter shows and copies the command, says so, and keeps the focus."""
    buttons = browser.find_elements("css selector", ".b")
    names = names_of(buttons)
    assert names == [f"c.mkv, Shot {n}: copy the command for another look" for n in (1, 2)]
    for _ in range(60):
        press(browser, keys().TAB)
        if browser.switch_to.active_element == buttons[1]:
            break
    assert browser.switch_to.active_element == buttons[1]
    press(browser, keys().ENTER)
    command = browser.execute_async_script(
        """
        const done = arguments[0], until = Date.now() + 5000;
        const look = () => {
          const code = document.querySelector(".b + code");
          code && code.textContent || Date.now() > until ? done(code && code.textContent) : setTimeout(look, 20);
        };
        look();
        """
    )
    assert command.startswith("chromatheque plan look /")
    assert command.endswith("/c.mkv 2 --of 1")
    assert browser.switch_to.active_element == buttons[1]
    assert one(browser, "#said").get_attribute("value") == f"Copied: {command}"
    field = one(browser, "input[type=search]")
    field.click()
    from selenium.webdriver import ActionChains

    ActionChains(browser).key_down(keys().CONTROL).send_keys("v").key_up(keys().CONTROL).perform()
    assert field.get_attribute("value") == command


def test_focus_can_be_seen(browser):
    """What has the focus by keyboard has an outline, sliders around their picture."""
    press(browser, keys().TAB)
    outline = "return getComputedStyle(arguments[0]).outlineStyle"
    assert browser.execute_script(outline, browser.switch_to.active_element) == "solid"
    slider = one(browser, ".w input")
    for _ in range(40):
        if browser.switch_to.active_element == slider:
            break
        press(browser, keys().TAB)
    assert browser.execute_script(outline, slider.find_element("xpath", "..")) == "solid"


@pytest.mark.parametrize("size", SIZES, ids=["phone", "screen"])
def test_nothing_is_wider_than_the_window(browser, size):
    """No horizontal scrolling, at 400 or at 1400 pixels, with everything unfolded and names without a space."""
    width(browser, *size)
    browser.execute_script("document.querySelectorAll('details').forEach(d => { d.open = true; })")
    browser.execute_script(
        "document.querySelectorAll('article').forEach(a => { a.style.contentVisibility = 'visible'; })"
    )
    wide, window = browser.execute_script("return [document.documentElement.scrollWidth, innerWidth]")
    assert (wide, window) == (size[0], size[0])
    beyond = browser.execute_script(
        "return [...document.querySelectorAll('body *')].filter(e => e.getBoundingClientRect().right > innerWidth + 1)"
        ".map(e => e.outerHTML.slice(0, 80))"
    )
    assert beyond == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_has_contrast(browser, scheme):
    """Every text is at least 4.5 to 1 against what it stands on (WCAG 2.2, 1.4.3), in both color schemes."""
    browser.execute_cdp_cmd(
        "Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
    )
    found = browser.execute_script(
        """
        const rgb = text => text.match(/[\\d.]+/g).map(Number);
        const linear = v => (v /= 255) <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4;
        const light = c => .2126 * linear(c[0]) + .7152 * linear(c[1]) + .0722 * linear(c[2]);
        const under = e => { for (; e; e = e.parentElement) { const c = rgb(getComputedStyle(e).backgroundColor);
            if (c.length < 4 || c[3] > 0) return c; } return [255, 255, 255]; };
        const low = [];
        for (const e of document.querySelectorAll("body *")) {
            const own = [...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim());
            if (!own || !e.checkVisibility() || ["SCRIPT", "OPTION"].includes(e.tagName)) continue;
            const [a, b] = [light(rgb(getComputedStyle(e).color)), light(under(e))].sort((x, y) => y - x);
            const ratio = (a + .05) / (b + .05);
            if (ratio < 4.5) low.push([ratio, e.outerHTML.slice(0, 90)]);
        }
        return low;
        """
    )
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
    assert found == []


def test_hostile_names_are_only_text(browser):
    """A name that is markup is read as it is spelled and adds no element; nothing ran."""
    assert HOSTILE in one(browser, f"#f{KEYS[0]} h2").text
    assert ODD in one(browser, f"#f{KEYS[1]} h2").text
    assert "the disk <b>broke</b>" in one(browser, f"#f{ASIDE}").text
    assert browser.find_elements("css selector", "img[src=x], [onerror]") == []
    hrefs = browser.execute_script("return [...document.links].map(a => a.protocol)")
    assert set(hrefs) == {"file:"}
    from selenium.common.exceptions import NoAlertPresentException

    with pytest.raises(NoAlertPresentException):
        _ = browser.switch_to.alert.text


def test_the_policy_stops_what_is_not_the_reports(browser):
    """Should markup get in one day, its handler does not run and its picture is not fetched from elsewhere."""
    ran = browser.execute_async_script(
        """
        const done = arguments[0], box = document.createElement("div");
        let stopped = 0;
        document.addEventListener("securitypolicyviolation", () => { stopped += 1; });
        box.innerHTML = '<img src="data:," onerror="window.ran = 1"><img src="https://example.org/a.png">';
        document.body.append(box);
        setTimeout(() => done([window.ran === undefined, stopped >= 2]), 300);
        """
    )
    assert ran == [True, True]
    said = [entry["message"] for entry in browser.get_log("browser")]
    assert said
    assert all("Content Security Policy" in message for message in said)
    messages = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
    failed = [m["params"].get("blockedReason") for m in messages if m["method"] == "Network.loadingFailed"]
    assert failed == ["csp"]
    browser.refresh()
