"""Opens the pages of a running `trailfold serve` in a browser, with the eyes and the hands of a person.

Usage: browser.py ADDRESS CHROMIUM CHROMEDRIVER [SCREENSHOTS]
"""

import sys
import tempfile
from pathlib import Path

import axe_core_python
from selenium import webdriver
from selenium.common.exceptions import NoSuchElementException, StaleElementReferenceException
from selenium.webdriver import ActionChains
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import Select, WebDriverWait

ADDRESS, CHROMIUM, CHROMEDRIVER = sys.argv[1:4]
SCREENSHOTS = Path(sys.argv[4]) if len(sys.argv) > 4 else None
AXE = (Path(axe_core_python.__file__).parent / "axe.min.js").read_text()

PRODUCTION = "o-exampleorgid/r-ex4m/ou-ex4m-workload1/ou-ex4m-product01"
ACCOUNT = f"{PRODUCTION}/555555555555"
GROUP = "arn:aws:iam::555555555555:group/engineers"
ROLE = "arn:aws:iam::555555555555:role/web"

# Every kind of page, each with a part of its title.
PAGES = {
    "/": "r-ex4m",
    f"/?entity={PRODUCTION}": "Production",
    f"/?entity={ACCOUNT}&sort=last-access": "shop-prod",
    "/?find=nothing-is-called-so": "r-ex4m",
    f"/service?entity={PRODUCTION}&service=s3": "Amazon S3",
    "/entities": "Units and accounts",
    "/entities?only=unused&kind=account": "Units and accounts",
    "/policies": "Service control policies",
    "/policy/p-orgallow1": "p-orgallow1",
    "/identities": "Users, groups, roles and policies",
    f"/identity?arn={GROUP}": "group engineers",
    f"/identity?arn={ROLE}": "role web",
    f"/identity/actions?arn={GROUP}": "Tracked actions of group engineers",
    f"/identity/service?arn={GROUP}&service=iam": "group engineers",
    "/coverage": "What the reports rest on",
    "/coverage/accounts": "Accounts read",
    "/nothing": "Not found",
    "/?sort=nothing": "Not understood",
    "/?entity=o-exampleorgid/r-none": "Not found",
}
# What Chromium itself says of a page that is not there.
EXPECTED = {"/nothing": "404", "/?sort=nothing": "400", "/?entity=o-exampleorgid/r-none": "404"}


def browser(profile, dark=False):
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for argument in [
        "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
        "--disable-background-networking", "--disable-component-update", "--disable-sync",
        "--disable-dev-shm-usage", f"--user-data-dir={profile}",
    ]:
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(CHROMEDRIVER))
    scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [scheme]})
    return driver


def width(driver, pixels, height=900):
    metrics = {"width": pixels, "height": height, "deviceScaleFactor": 1, "mobile": False}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)


def open_page(driver, path):
    driver.get(ADDRESS + path)
    said = [entry for entry in driver.get_log("browser")]
    expected = EXPECTED.get(path)
    unexpected = [it for it in said if not (expected and f"status of {expected}" in it["message"])]
    assert not unexpected, f"{path}: {unexpected}"


def arrive(driver, condition):
    """Waits for the page that a click or a key leads to."""

    def is_there(_):
        return condition() and driver.execute_script("return document.readyState") == "complete"

    passing = [NoSuchElementException, StaleElementReferenceException]
    WebDriverWait(driver, 60, ignored_exceptions=passing).until(is_there)


def screenshot(driver, name):
    if SCREENSHOTS:
        driver.save_screenshot(str(SCREENSHOTS / f"{name}.png"))


def namespaces(driver):
    return [cell.text for cell in driver.find_elements(By.CSS_SELECTOR, "table.services td:nth-child(2)")]


def check_pages(driver):
    for path, title in PAGES.items():
        open_page(driver, path)
        assert title in driver.title and driver.title.endswith("– trailfold"), f"{path}: {driver.title}"
        assert len(driver.find_elements(By.TAG_NAME, "h1")) == 1, path
        line = driver.find_element(By.CSS_SELECTOR, "section.basis").text
        assert "records =" in line and "Events from" in line, f"{path}: {line}"


def check_accessibility(driver):
    for path in PAGES:
        open_page(driver, path)
        driver.execute_script(AXE)
        found = driver.execute_async_script(
            "const done = arguments[arguments.length - 1];"
            "axe.run(document, {resultTypes: ['violations']})"
            ".then(it => done(it.violations.map(v => [v.id, v.nodes.map(n => n.html).slice(0, 3)])),"
            " error => done([['error', String(error)]]));"
        )
        assert not found, f"{path}: {found}"


def check_widths(driver):
    # A phone; 320 px is what 400 % of a window of 1,280 px comes to; and where the layout changes.
    for pixels in [320, 400, 1041, 1249, 1280]:
        width(driver, pixels)
        for path in PAGES:
            open_page(driver, path)
            too_wide = driver.execute_script(
                "const root = document.documentElement;"
                "const over = [...document.querySelectorAll('table, form, nav')].filter(it =>"
                " it.getBoundingClientRect().right"
                " > it.parentElement.getBoundingClientRect().right + 1);"
                "const found = over.map(it => it.outerHTML.slice(0, 100));"
                "return root.scrollWidth > root.clientWidth ? ['the page', ...found] : found;"
            )
            assert not too_wide, f"{path} at {pixels}: {too_wide}"
    width(driver, 1280)


def check_sorting(driver):
    open_page(driver, f"/?entity={PRODUCTION}")
    usual = namespaces(driver)
    assert usual == sorted(usual) and len(usual) > 10, usual

    def heading():
        return driver.find_element(By.XPATH, "//thead//th[contains(., 'Last access')]")

    assert heading().get_attribute("aria-sort") is None
    heading().find_element(By.TAG_NAME, "a").click()
    arrive(driver, lambda: heading().get_attribute("aria-sort") == "ascending")
    ascending = namespaces(driver)
    times = driver.find_elements(By.CSS_SELECTOR, "table.services tbody tr td:nth-child(3)")
    times = [cell.text for cell in times]
    never = sum("never" in text for text in times)
    assert never > 0 and all("never" in text for text in times[:never]), times
    heading().find_element(By.TAG_NAME, "a").click()
    arrive(driver, lambda: heading().get_attribute("aria-sort") == "descending")
    assert namespaces(driver) == ascending[::-1]
    assert sorted(namespaces(driver)) == usual


def check_filter(driver):
    open_page(driver, f"/?entity={PRODUCTION}&sort=last-access-descending")
    everything = namespaces(driver)
    driver.find_element(By.ID, "find").send_keys("cloud")
    Select(driver.find_element(By.ID, "only")).select_by_value("unused")
    driver.find_element(By.CSS_SELECTOR, "main form button").click()
    arrive(driver, lambda: "find=cloud" in driver.current_url)
    some = namespaces(driver)
    assert some and set(some) < set(everything), some
    assert [it for it in everything if it in some] == some
    assert "sort=last-access-descending" in driver.current_url and "find=cloud" in driver.current_url
    assert driver.find_element(By.ID, "find").get_attribute("value") == "cloud"
    driver.find_element(By.LINK_TEXT, "Show all").click()
    arrive(driver, lambda: "find=" not in driver.current_url)
    assert namespaces(driver) == everything

    open_page(driver, "/identities")
    driver.find_element(By.ID, "find").send_keys("ENGINEERS" + Keys.ENTER)
    arrive(driver, lambda: "find=ENGINEERS" in driver.current_url)
    driver.find_element(By.LINK_TEXT, "engineers").click()
    arrive(driver, lambda: "group engineers" in driver.title)
    assert driver.get_log("browser") == []


def press(driver, *keys):
    ActionChains(driver).send_keys(*keys).perform()


def focused(driver):
    return driver.switch_to.active_element


def tab_to(driver, wanted):
    for _ in range(200):
        press(driver, Keys.TAB)
        if wanted(focused(driver)):
            outline = focused(driver).value_of_css_property("outline-style")
            assert outline not in ("none", ""), f"no visible focus: {focused(driver).text}"
            return
    raise AssertionError("the keyboard does not reach it")


def check_keyboard(driver):
    open_page(driver, "/")
    press(driver, Keys.TAB)
    assert focused(driver).text == "To the content", focused(driver).text
    assert focused(driver).rect["x"] >= 0, "the link is shown while it has the focus"
    press(driver, Keys.ENTER)
    arrive(driver, lambda: driver.current_url.endswith("#main"))
    tab_to(driver, lambda it: it.text.startswith("Last access"))
    press(driver, Keys.ENTER)
    arrive(driver, lambda: "sort=last-access" in driver.current_url)
    tab_to(driver, lambda it: it.get_attribute("id") == "find")
    press(driver, "s3", Keys.ENTER)
    arrive(driver, lambda: "find=s3" in driver.current_url)
    assert namespaces(driver) == ["s3"]
    tab_to(driver, lambda it: it.tag_name == "summary" and "Workloads" in it.get_attribute("textContent"))
    details = focused(driver).find_element(By.XPATH, "..")
    before = details.get_attribute("open")
    press(driver, Keys.SPACE)
    assert details.get_attribute("open") != before
    if before:
        press(driver, Keys.SPACE)
    tab_to(driver, lambda it: it.tag_name == "a" and it.text.startswith("Production"))
    press(driver, Keys.ENTER)
    arrive(driver, lambda: "Production" in driver.title)


def check_nothing_from_outside(driver):
    """Whatever a page asked for, it asked the server that it came from."""
    for path in ["/", "/coverage", f"/identity?arn={GROUP}"]:
        open_page(driver, path)
        asked = driver.execute_script(
            "return performance.getEntriesByType('resource').map(it => it.name)"
        )
        assert all(it.startswith(ADDRESS) for it in asked), asked
        assert driver.execute_script("return document.scripts.length") == 0, path


def take_screenshots(driver, suffix):
    for number, path in enumerate(PAGES):
        open_page(driver, path)
        screenshot(driver, f"{number:02}-{suffix}")


with tempfile.TemporaryDirectory() as directory:
    for dark in [False, True]:
        driver = browser(f"{directory}/{dark}", dark)
        try:
            width(driver, 1280)
            check_accessibility(driver)
            if not dark:
                check_pages(driver)
                check_sorting(driver)
                check_filter(driver)
                check_keyboard(driver)
                check_nothing_from_outside(driver)
                check_widths(driver)
            if SCREENSHOTS:
                take_screenshots(driver, "dark" if dark else "light")
                width(driver, 400)
                take_screenshots(driver, "dark-narrow" if dark else "narrow")
        finally:
            driver.quit()
print("OK")
