"""The calculator of a model's cost in the page, in a real browser, held to minigpt.model.ledger."""

from __future__ import annotations

import math
import random
from dataclasses import asdict, replace

import book_sources
import pytest
from for_everyone import reserved_height, small_targets, too_wide
from playwright.sync_api import expect

from minigpt.model import PRESETS, GPTConfig, ledger

FOLDER = book_sources.ROOT / "book" / "assets" / "elements" / "model-calculator"
GPT2 = ("gpt2", "gpt2-medium", "gpt2-large", "gpt2-xl")
SIZES = {
    "n_layer": "Blocks",
    "n_embd": "Width",
    "n_head": "Heads",
    "vocab_size": "Vocabulary",
    "context_length": "Context",
}
# The largest model that the calculator takes, its heads as many as GPT-3's.
LARGEST = GPTConfig(131072, 16384, n_layer=96, n_head=96, n_embd=12288, tied=False)


def assorted(number: int) -> list[GPTConfig]:
    draw = random.Random(20)
    configs = []
    for _ in range(number):
        n_head = draw.choice([1, 2, 3, 5, 12, 16, 25, 64])
        configs.append(
            GPTConfig(
                draw.choice([65, 256, 4096, 50257, 131072, draw.randint(1, 131072)]),
                draw.choice([8, 256, 1024, 16384, draw.randint(1, 16384)]),
                n_layer=draw.randint(1, 96),
                n_head=n_head,
                n_embd=n_head * draw.randint(1, 12288 // n_head),
                bias=draw.random() < 0.5,
                tied=draw.random() < 0.5,
            )
        )
    return configs


CONFIGS = [
    *PRESETS.values(),
    GPTConfig(1, 1, n_layer=1, n_head=1, n_embd=1, bias=False),
    LARGEST,
    replace(LARGEST, n_head=12288),
    *assorted(40),
]


def by_python(config: GPTConfig) -> dict:
    tokens = config.context_length
    parameters = ledger.parameter_count(config)
    flops = ledger.forward_flops(config, tokens)
    assert flops % tokens == 0
    return {
        "counts": ledger.parameter_counts(config),
        "parameters": parameters,
        "float32_bytes": 4 * parameters,
        "float16_bytes": 2 * parameters,
        "adamw_bytes": 16 * parameters,
        "activation_bytes": ledger.activation_bytes(config, tokens),
        "kv_cache_bytes": ledger.kv_cache_bytes(config, tokens),
        "kv_cache_bytes_per_token": ledger.kv_cache_bytes(config, 1),
        "flops": flops,
        "flops_per_token": flops // tokens,
    }


def sizes(config: GPTConfig) -> dict:
    """What the calculator knows of a config: dropout costs nothing that it counts."""
    fields = asdict(config)
    assert fields.pop("dropout") == 0
    return fields


def short(n: int, prefixes: str = "kMBT", unit: str = "") -> str:
    for power, prefix in enumerate(["", *prefixes]):
        x = n / 1000**power
        if x < 999.5:
            return f"{x:#.3g}".rstrip(".") + f" {prefix}{unit}" if power else f"{n} {unit}".strip()
    raise AssertionError(n)


def size_of(n: int) -> str:
    return short(n, "kMGTP", "B")


def flop(n: int) -> str:
    return short(n, "kMGTP", "FLOP")


def plain(texts: list[str]) -> list[str]:
    return [text.replace("\u00a0", " ") for text in texts]


def open_chapter(page, site_url: str) -> None:
    page.goto(site_url + "model.html")
    page.evaluate("customElements.whenDefined('model-calculator').then(() => true)")


def renew(page, preset: str = "gpt2"):
    """The chapter's element, replaced by a new one."""
    page.evaluate(
        """preset => {
            const element = document.createElement('model-calculator');
            element.setAttribute('preset', preset);
            element.append('the fallback');
            document.querySelector('model-calculator').replaceWith(element);
        }""",
        preset,
    )
    return page.locator("model-calculator")


@pytest.fixture
def element(page):
    return page.locator("model-calculator")


def module(page, name: str):
    return page.evaluate(
        """async name => {
            const path = '_static/elements/model-calculator/model-ledger.js';
            return (await import(new URL(path, document.baseURI)))[name];
        }""",
        name,
    )


def config_of(element) -> GPTConfig:
    return GPTConfig(**element.evaluate("e => e.config"))


def configure(element, config: GPTConfig) -> None:
    element.evaluate("(e, config) => { e.config = config; }", sizes(config))


def slider(element, name: str):
    return element.get_by_role("slider", name=SIZES[name])


def shown(element) -> dict:
    """What a reader sees, as text."""
    texts = element.evaluate(
        """e => {
            const texts = (selector) =>
                [...e.querySelectorAll(selector)].map((found) => found.textContent);
            return {
                total: texts('.mg-total strong'),
                brief: texts('.mg-brief'),
                parts: texts('.mg-parts tbody td'),
                captions: texts('.mg-costs caption'),
                costs: texts('.mg-costs td'),
                standing: texts('.mg-standing'),
            };
        }"""
    )
    return {name: plain(found) for name, found in texts.items()}


def expected(config: GPTConfig) -> dict:
    numbers = by_python(config)
    parts = []
    for count in numbers["counts"].values():
        share = count / numbers["parameters"]
        small = "0 %" if count == 0 else "< 0.1 %"
        parts += [f"{count:,}", f"{100 * share:.1f} %" if share >= 0.0005 else small]
    tokens = f"{config.context_length:,} token{'s' if config.context_length > 1 else ''}"
    amounts = {name: size_of(n) for name, n in numbers.items() if "bytes" in name}
    amounts |= {name: flop(n) for name, n in numbers.items() if "flops" in name}
    costs = [amounts[name] for name in list(numbers)[2:]]
    return {
        "total": [f"{numbers['parameters']:,}"],
        "brief": [f"{amounts['float32_bytes']} in float32 · {amounts['flops_per_token']} a token"],
        "parts": parts,
        "captions": ["Weights", f"Memory for {tokens}", f"Arithmetic for {tokens}"],
        "costs": costs,
    }


# The numbers


def test_the_presets_are_the_packages(page, element):
    assert module(page, "PRESETS") == {name: sizes(config) for name, config in PRESETS.items()}
    names = element.get_by_role("group", name="Sizes").get_by_role("button").all_inner_texts()
    assert names == list(PRESETS)


def test_every_number_equals_python_exactly(page, element):
    assert len(CONFIGS) >= 30
    got = element.evaluate(
        "(e, configs) => configs.map((config) => { e.config = config; return e.ledger; })",
        [sizes(config) for config in CONFIGS],
    )
    for config, found in zip(CONFIGS, got, strict=True):
        assert found == by_python(config), config
        assert list(found["counts"]) == list(by_python(config)["counts"])


def test_no_number_outgrows_javascript(page):
    limits = module(page, "LIMITS")
    assert {name: sizes(LARGEST)[name] for name in limits if name != "n_head"} == {
        name: limit for name, limit in limits.items() if name != "n_head"
    }
    numbers = by_python(replace(LARGEST, n_head=limits["n_head"]))
    assert max(n for n in numbers.values() if isinstance(n, int)) < 2**53


@pytest.mark.parametrize("config", CONFIGS[:20])
def test_the_reader_sees_these_numbers(page, element, config):
    configure(element, config)
    found = shown(element)
    del found["standing"]
    assert found == expected(config)


def test_gpt2_as_it_is_known(element):
    found = shown(element)
    assert found["total"] == ["124,439,808"]
    assert found["parts"] == [
        *("38,597,376", "31.0 %", "786,432", "0.6 %", "28,348,416", "22.8 %"),
        *("56,669,184", "45.5 %", "38,400", "< 0.1 %", "0", "0 %"),
    ]
    assert found["costs"][:3] == ["498 MB", "249 MB", "1.99 GB"]
    assert found["costs"][4:6] == ["37.7 MB", "36.9 kB"]


def test_units_change_where_three_digits_end(page):
    cases = {1: "1", 999: "999", 1000: "1.00 k", 999_499: "999 k", 999_500: "1.00 M"}
    cases |= {124_439_808: "124 M", 1_557_611_200: "1.56 B", 10**12: "1.00 T"}
    got = page.evaluate(
        """async (cases) => {
            const { short } = await import(
                new URL('_static/elements/model-calculator/model-calculator.js', document.baseURI));
            return cases.map((n) => short(n));
        }""",
        list(cases),
    )
    assert plain(got) == list(cases.values())


def test_the_bar_shows_the_shares(element):
    config = replace(PRESETS["gpt2"], tied=False)
    configure(element, config)
    counts = ledger.parameter_counts(config)
    total = sum(counts.values())
    bar = element.locator(".mg-bar-of-parts .mg-part")
    found = bar.evaluate_all("parts => parts.map(p => [Number(p.style.flexGrow), p.textContent])")
    assert [share for share, _ in found] == pytest.approx(
        [count / total for count in counts.values()], abs=1e-6
    )
    # Not by colour alone: a part has the number of its row, where there is room.
    assert [text for _, text in found] == ["1", "", "3", "4", "", "6"]
    keys = element.locator(".mg-parts tbody .mg-part")
    assert keys.all_inner_texts() == ["1", "2", "3", "4", "5", "6"]
    looks = "parts => parts.map(p => getComputedStyle(p).borderTopColor)"
    assert bar.evaluate_all(looks) == keys.evaluate_all(looks)
    assert len(set(bar.evaluate_all(looks))) == 6
    configure(element, PRESETS["gpt2"])
    assert not bar.nth(5).is_visible()  # a tied head learns nothing of its own


# The controls


def test_the_attribute_chooses_the_preset(page):
    element = renew(page, "shakespeare")
    assert config_of(element) == PRESETS["shakespeare"]
    assert shown(element)["total"] == [f"{ledger.parameter_count(PRESETS['shakespeare']):,}"]


def test_an_unknown_preset_is_said_in_words(page):
    element = renew(page, "gpt3")
    alert = element.get_by_role("alert").inner_text()
    assert alert.startswith("The calculator cannot be shown: there is no preset “gpt3”; choose")
    assert all(name in alert for name in PRESETS)
    assert "the fallback" in element.inner_text()
    assert element.get_by_role("slider").count() == 0
    assert element.bounding_box()["height"] < 250


@pytest.mark.parametrize("name", PRESETS)
def test_a_button_loads_a_preset(element, name):
    element.get_by_role("slider", name="Blocks").press("ArrowRight")
    group = element.get_by_role("group", name="Sizes to start from")
    assert group.locator("[aria-pressed=true]").count() == 0
    group.get_by_role("button", name=name, exact=True).click()
    assert config_of(element) == PRESETS[name]
    assert group.locator("[aria-pressed=true]").all_inner_texts() == [name]
    for size in SIZES:
        text = slider(element, size).get_attribute("aria-valuetext")
        assert text.split(", as")[0] == f"{sizes(PRESETS[name])[size]:,}"


def test_arrow_keys_change_the_numbers(element):
    expect(slider(element, "n_layer")).to_have_attribute("aria-valuetext", "12, as in gpt2")
    slider(element, "n_layer").press("ArrowRight")
    assert config_of(element) == replace(PRESETS["gpt2"], n_layer=13)
    expect(slider(element, "n_layer")).to_have_attribute("aria-valuetext", "13")
    slider(element, "vocab_size").press("ArrowLeft")
    slider(element, "context_length").press("Home")
    slider(element, "n_embd").press("ArrowRight")
    config = GPTConfig(49152, 8, n_layer=13, n_head=13, n_embd=832)
    assert config_of(element) == config
    assert {**shown(element), "standing": None} == {**expected(config), "standing": None}


def test_the_switches_count(element):
    for name, label in (("tied", "Tied head"), ("bias", "Biases")):
        configure(element, PRESETS["gpt2"])
        switch = element.get_by_role("checkbox", name=label)
        assert switch.is_checked()
        switch.press("Space")
        config = replace(PRESETS["gpt2"], **{name: False})
        assert config_of(element) == config
        assert shown(element)["parts"] == expected(config)["parts"]


def test_everything_is_reached_with_the_keyboard_alone(page, element):
    element.get_by_role("button", name="shakespeare").focus()
    labels = []
    for _ in range(7):
        page.keyboard.press("Tab")
        labels.append(page.evaluate("document.activeElement.labels?.[0]?.textContent"))
    assert labels == [*SIZES.values(), "Tied head", "Biases"]
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Space")
    assert not element.get_by_role("checkbox", name="Tied head").is_checked()


def walk(element, name: str) -> list[dict]:
    """The element's config at every stop of a slider."""
    return slider(element, name).evaluate(
        """slider => {
            const element = slider.closest('model-calculator');
            return Array.from({ length: Number(slider.max) + 1 }, (_, i) => {
                slider.value = i;
                slider.dispatchEvent(new Event('input'));
                return element.config;
            });
        }"""
    )


def test_the_sliders_reach_what_matters_exactly(element):
    wanted = {
        "n_layer": set(range(1, 97)),
        "n_embd": {16, 64, 128, 160, 768, 1024, 1280, 1600, 12288},
        "vocab_size": {65, 256, 4096, 50257, 131072},
        "context_length": {8, 256, 1024, 2048, 16384},
    }
    for name, values in wanted.items():
        found = [config[name] for config in walk(element, name)]
        assert found == sorted(set(found))
        assert values <= set(found)
        assert len(found) <= 100  # a slider's stop is still some pixels wide


def test_buttons_beside_a_slider_move_one_step_and_stop_at_the_ends(element):
    button = element.get_by_role("button", name="Blocks: one step up")
    button.click()
    assert config_of(element).n_layer == 13
    slider(element, "n_layer").press("End")
    assert button.get_attribute("aria-disabled") == "true"
    button.click(force=True)
    assert config_of(element).n_layer == 96
    element.get_by_role("button", name="Blocks: one step down").click()
    assert config_of(element).n_layer == 95


def test_a_size_between_the_stops_is_shown_as_it_is(element):
    config = GPTConfig(32000, 1000, n_layer=7, n_head=10, n_embd=100)
    configure(element, config)
    assert config_of(element) == config
    for size in SIZES:
        text = slider(element, size).get_attribute("aria-valuetext")
        assert text == f"{sizes(config)[size]:,}"
    slider(element, "n_embd").press("ArrowRight")
    slider(element, "vocab_size").press("ArrowLeft")
    assert (config_of(element).n_embd, config_of(element).vocab_size) == (112, 24576)


# Heads and width


def note(element) -> str:
    return element.locator(".mg-heads-note").inner_text()


@pytest.mark.parametrize("wanted", [1, 5, 12, 25, 64])
def test_heads_divide_every_width(element, wanted):
    configure(element, replace(PRESETS["gpt2"], n_embd=wanted * 64, n_head=wanted))
    configs = walk(element, "n_embd")
    assert len({config["n_embd"] for config in configs}) > 50
    for config in configs:
        width, heads = config["n_embd"], config["n_head"]
        divisors = [d for d in range(1, width + 1) if width % d == 0]
        nearest = min(divisors, key=lambda d: (abs(math.log(d / wanted)), d))
        assert abs(math.log(heads / wanted)) == pytest.approx(abs(math.log(nearest / wanted)))
        assert heads in divisors
        if width % wanted == 0:
            assert heads == wanted


def test_heads_that_had_to_change_are_explained_and_come_back(element):
    assert note(element) == "12 heads of 64 numbers."
    heads = slider(element, "n_head")
    assert element.locator(f"#{heads.get_attribute('aria-describedby')}").inner_text() == (
        note(element)
    )
    slider(element, "n_embd").press("ArrowRight")
    assert (config_of(element).n_embd, config_of(element).n_head) == (832, 13)
    assert note(element) == "13 heads of 64 numbers, as 12 would not divide 832."
    assert heads.get_attribute("aria-valuetext") == "13"
    slider(element, "n_embd").press("ArrowLeft")
    assert config_of(element) == PRESETS["gpt2"]
    assert note(element) == "12 heads of 64 numbers."


def test_the_heads_offered_are_the_divisors_of_the_width(element):
    assert [config["n_head"] for config in walk(element, "n_head")] == [
        d for d in range(1, 769) if 768 % d == 0
    ]
    slider(element, "n_head").press("Home")
    assert note(element) == "1 head of 768 numbers."
    slider(element, "n_head").press("ArrowRight")
    slider(element, "n_embd").press("ArrowRight")
    assert note(element) == "2 heads of 416 numbers."  # what was asked for since counts


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"n_head": 7}, "n_embd 768 cannot be cut into n_head 7 heads of equal width"),
        ({"n_head": 7}, "choose a number of heads that divides it, such as 8."),
        ({"n_layer": 0}, "n_layer is 0: choose a whole number from 1 to 96."),
        ({"n_layer": 2.5}, "n_layer is 2.5: choose a whole number"),
        ({"n_embd": 12289}, "n_embd is 12289: choose a whole number from 1 to 12288."),
        ({"vocab_size": None}, "vocab_size is null: choose a whole number"),
        ({"tied": 1}, "tied is 1: choose true or false."),
    ],
)
def test_a_wrong_config_is_named_and_changes_nothing(element, change, words):
    before = shown(element)
    message = element.evaluate(
        "(e, change) => { try { e.config = { ...e.config, ...change }; }"
        " catch (error) { return `${error.name}: ${error.message}`; } }",
        change,
    )
    assert message.startswith("RangeError: ")
    assert words in message
    assert config_of(element) == PRESETS["gpt2"]
    assert shown(element) == before


# Beside GPT-2


def at(parameters: int) -> float:
    """Where it stands between a thousand and a million million, in per cent."""
    return 100 * (math.log10(parameters) - 3) / 9


def places(element, selector: str) -> list[float]:
    """Where the marks stand on the axis, in per cent of its width."""
    return element.evaluate(
        """(e, selector) => {
            const axis = e.querySelector('.mg-axis').getBoundingClientRect();
            return [...e.querySelectorAll(selector)].map((mark) => {
                const { left, width } = mark.getBoundingClientRect();
                const middle = mark.matches('.mg-here') ? left + width / 2 : left;
                return 100 * (middle - axis.left) / axis.width;
            });
        }""",
        selector,
    )


def test_gpt2s_sizes_are_marked_on_the_scale(page, element):
    page.emulate_media(reduced_motion="reduce")  # marks arrive at once
    counts = [ledger.parameter_count(PRESETS[name]) for name in GPT2]
    assert places(element, ".mg-mark-line") == pytest.approx([at(n) for n in counts], abs=0.3)
    labels = plain(element.locator(".mg-mark-line").all_inner_texts())
    assert labels == [f"{name} {short(n)}" for name, n in zip(GPT2, counts, strict=True)]
    for config in (PRESETS["gpt2-xl"], PRESETS["shakespeare"], LARGEST):
        configure(element, config)
        want = at(ledger.parameter_count(config))
        assert places(element, ".mg-here") == pytest.approx([want], abs=0.3)
    page.emulate_media(reduced_motion="no-preference")


@pytest.mark.parametrize(
    ("config", "words"),
    [
        (PRESETS["gpt2-large"], "774 M parameters, as many as gpt2-large"),
        (PRESETS["shakespeare"], "2.55 M parameters, fewer than gpt2"),
        (replace(PRESETS["gpt2"], n_layer=13), "between gpt2 and gpt2-medium"),
        (replace(PRESETS["gpt2-xl"], n_layer=47), "between gpt2-large and gpt2-xl"),
        (replace(PRESETS["gpt2-xl"], n_layer=49), "more than gpt2-xl"),
    ],
)
def test_where_the_model_stands_is_said_too(element, config, words):
    configure(element, config)
    (standing,) = shown(element)["standing"]
    assert standing.startswith("This model: ")
    assert words in standing
    scale = element.get_by_role("img").get_attribute("aria-label").replace("\u00a0", " ")
    assert scale.startswith("Parameters on a logarithmic scale from 1 k to 1 T: gpt2 124 M, ")
    assert words in scale


def test_the_sliders_have_ticks_at_gpt2s_sizes(element):
    def ticks(name: str) -> list[str]:
        return slider(element, name).evaluate(
            """slider => [...slider.list.options].map((option) => {
                slider.value = option.value;
                return slider.value === option.value && option.label;
            })"""
        )

    assert ticks("n_layer") == ["12", "24", "36", "48"]
    assert ticks("n_embd") == ["768", "1,024", "1,280", "1,600"]
    assert ticks("vocab_size") == ["50,257"]
    assert ticks("context_length") == ["1,024"]
    assert ticks("n_head") == ["12", "16"]  # of 768; 20 and 25 do not divide it
    configure(element, PRESETS["gpt2-xl"])
    assert ticks("n_head") == ["16", "20", "25"]
    expect(slider(element, "vocab_size")).to_have_attribute("aria-valuetext", "50,257, as in GPT-2")


# For all readers


def test_a_change_is_announced_once_and_briefly(page, element):
    region = element.get_by_role("status")
    assert region.count() == 1
    assert region.inner_text() == ""  # nothing is said before a reader acts
    element.evaluate(
        """e => {
            const region = e.querySelector('[role=status]');
            region.said = 0;
            new MutationObserver((changes) => { region.said += changes.length; })
                .observe(region, { childList: true });
            const slider = e.querySelector('input');
            for (let i = 0; i < 5; i += 1) {
                slider.value = Number(slider.value) + 1;
                slider.dispatchEvent(new Event('input'));
            }
        }"""
    )
    config = replace(PRESETS["gpt2"], n_layer=17)
    numbers = by_python(config)
    words = (
        f"{short(numbers['parameters'])} parameters, {size_of(numbers['float32_bytes'])} in "
        f"float32, {flop(numbers['flops_per_token'])} a token."
    )
    expect(region).to_have_text(words)
    assert region.evaluate("region => region.said") == 1
    element.get_by_role("button", name="gpt2-medium").click()
    expect(region).to_have_text(
        "gpt2-medium: 355 M parameters, 1.42 GB in float32, 808 MFLOP a token."
    )
    slider(element, "n_embd").press("ArrowRight")  # 1,088, which 16 divides too
    slider(element, "n_head").press("ArrowRight")
    slider(element, "n_embd").press("ArrowLeft")
    expect(region).to_contain_text("16 heads of 64 numbers, as 17 would not divide 1,024.")


@pytest.mark.parametrize("width", [360, 1280])
def test_the_page_does_not_jump_and_fits(browser, site_url, width):
    context = browser.new_context(viewport={"width": width, "height": 800}, reduced_motion="reduce")
    page = context.new_page()
    height = "document.querySelector('model-calculator').offsetHeight"
    reserved = reserved_height(page, site_url + "model.html", "model-calculator")
    open_chapter(page, site_url)
    element = page.locator("model-calculator")
    assert element.evaluate("e => getComputedStyle(e).borderTopStyle") == "solid"
    seen = {reserved}
    for config in CONFIGS[:12]:
        configure(element, config)
        seen.add(page.evaluate(height))
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert too_wide(element, but="option, .mg-visually-hidden, .mg-scale") == []
    assert max(seen) - min(seen) <= 24
    assert small_targets(element) == []
    # A phone has no room for controls and tables at once: the sum stays in sight.
    slider(element, "context_length").focus()
    page.evaluate(
        "scrollBy(0, document.querySelector('.mg-options').getBoundingClientRect().top - 400)"
    )
    top = page.evaluate("document.querySelector('.mg-headline').getBoundingClientRect().top")
    assert 0 < top < 400
    context.close()


def test_the_sum_hides_no_control_that_has_the_focus(page, element):
    page.set_viewport_size({"width": 360, "height": 640})
    page.emulate_media(reduced_motion="reduce")  # the page scrolls at once
    element.get_by_role("checkbox", name="Biases").focus()
    for _ in range(6):
        page.keyboard.press("Shift+Tab")
        hidden = page.evaluate(
            "document.activeElement.getBoundingClientRect().top"
            " < document.querySelector('.mg-headline').getBoundingClientRect().bottom"
        )
        assert not hidden
    page.emulate_media(reduced_motion="no-preference")


@pytest.mark.parametrize("motion", ["reduce", "no-preference"])
def test_motion_is_for_those_who_want_it(page, element, motion):
    page.emulate_media(reduced_motion=motion)
    # Asking for the animations flushes the old style and then the new one.
    moving = element.evaluate(
        """e => {
            const all = () => document.getAnimations()
                .filter((animation) => e.contains(animation.effect.target)).length;
            all();
            e.config = { ...e.config, n_layer: 96 };
            return all();
        }"""
    )
    page.emulate_media(reduced_motion="no-preference")
    assert (moving > 0) == (motion == "no-preference")


def test_the_files_stay_small():
    files = list(FOLDER.iterdir())
    assert len(files) == 3
    assert sum(path.stat().st_size for path in files) < 26 * 1024
