"""Training in the page, in a real browser, held to PyTorch: gradients, steps, going on.

Each in WebAssembly and in plain JavaScript. A gradient is compared as a share of the largest of
its tensor: a single one may be 0 but for rounding, as a key's bias is in exact arithmetic.
"""

from __future__ import annotations

import re
from copy import deepcopy
from dataclasses import asdict, replace

import book_sources
import pytest
import torch
import wasmtime
from safetensors.torch import save
from torch.nn import functional as F

from minigpt.exchange.gpt2_format import gpt2_settings
from minigpt.model import GPT, GPTConfig
from minigpt.training import Recipe, Trainer
from minigpt.training.schedule import warmup_cosine

FOLDER = book_sources.ROOT / "book" / "assets" / "engine" / "training"
SMALL = GPTConfig(27, context_length=16, n_layer=1, n_head=2, n_embd=16)
SIZES = {
    "small": (SMALL, 3),
    "two-blocks": (GPTConfig(65, 32, n_layer=2, n_head=4, n_embd=32), 2),
    "odd": (GPTConfig(11, 7, n_layer=2, n_head=3, n_embd=12), 3),
    "no-block": (GPTConfig(9, 5, n_layer=1, n_head=1, n_embd=3), 1),
    "deep-sums": (GPTConfig(30, 64, n_layer=1, n_head=2, n_embd=72), 5),  # more than 256 numbers
}
sizes = pytest.mark.parametrize("name", SIZES)
ways = pytest.mark.parametrize("wasm", [True, False], ids=["wasm", "script"])
TEXT = torch.arange(400) ** 2 % 27
RECIPE = Recipe(steps=40, batch_size=4, learning_rate=1e-2, warmup=5)
LANGUAGE = """async () => {
    const names = ["training/training-run.js", "training/trained-gpt.js", "training/room.js",
        "training/adamw.js", "training/windows.js", "training/snapshots.js",
        "training/attention-of.js", "gpt-trace.js", "safetensors.js"];
    const address = (name) => new URL(`_static/engine/${name}`, document.baseURI);
    Object.assign(window, ...await Promise.all(names.map((name) => import(address(name)))));
    window.bytes = await window.fetchedWasm();
    window.put = (tensors, model) => {
        for (const { name, at } of model.tensors) model.weights.set(tensors[name].data, at);
    };
    window.given = async () =>
        readSafetensors(await (await fetch("weights-of-a-test")).arrayBuffer());
    window.errorOf = async (act) => {
        try { await act(); } catch (error) { return error.message; }
    };
}"""


def open_chapter(page, site_url: str) -> None:
    page.goto(site_url + "status.html")  # a page with no element that computes
    page.evaluate(LANGUAGE)


def made(config: GPTConfig, spread: float = 0.25, seed: int = 0) -> GPT:
    """In 64 bits, with numbers that 32 bits hold, wide enough for every path to carry gradient."""
    generator = torch.Generator().manual_seed(seed)
    model = GPT(config, generator).double()
    with torch.no_grad():
        for weight in model.parameters():
            weight += spread * torch.randn(weight.shape, generator=generator)
            weight.copy_(weight.float())
    return model


def settings(config: GPTConfig) -> dict:
    """What the page's gptConfig makes of the model's config.json."""
    names = ("vocab_size", "n_positions", "n_embd", "n_head", "n_layer", "bias")
    return {n: gpt2_settings(config)[n] for n in names} | {"tie_word_embeddings": True}


def give(page, model: GPT) -> None:
    """Let the page fetch a model's weights."""
    tensors = {name: weight.detach().float().clone() for name, weight in model.named_parameters()}
    page.unroute("**/weights-of-a-test")
    page.route("**/weights-of-a-test", lambda route: route.fulfill(body=save(tensors)))


def ids_of(config: GPTConfig, windows: int, seed: int = 1) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(
        config.vocab_size, (windows, config.context_length + 1), generator=generator
    )


def one_way(page, model: GPT, ids: torch.Tensor, wasm: bool) -> tuple[float, dict]:
    """The page's loss and gradients of a batch."""
    give(page, model)
    batch = [ids[:, :-1].flatten().tolist(), ids[:, 1:].flatten().tolist()]
    loss, gradients = page.evaluate(
        """async ([config, sizes, [inputs, targets], wasm]) => {
            const model = await TrainedGPT.make(config, sizes, wasm ? bytes : undefined);
            put(await given(), model);
            const loss = model.forward(inputs, targets);
            model.backward(inputs);
            return [loss, Object.fromEntries(model.tensors.map(({ name, at, size }) =>
                [name, [...model.gradients.subarray(at, at + size)]]))];
        }""",
        [settings(model.config), {"batch": len(ids), "length": ids.shape[1] - 1}, batch, wasm],
    )
    return loss, {name: torch.tensor(g, dtype=torch.float64) for name, g in gradients.items()}


def torchs(model: GPT, ids: torch.Tensor) -> tuple[float, dict]:
    model.zero_grad()
    loss = F.cross_entropy(model(ids[:, :-1]).flatten(0, 1), ids[:, 1:].flatten())
    loss.backward()
    return loss.item(), {name: p.grad.flatten() for name, p in model.named_parameters()}


@sizes
@ways
def test_every_gradient_is_torchs(page, name, wasm):
    config, batch = SIZES[name]
    model, ids = made(config), ids_of(config, batch)
    loss, gradients = one_way(page, model, ids, wasm)
    wanted_loss, wanted = torchs(model, ids)
    assert loss == pytest.approx(wanted_loss, abs=1e-6)
    assert gradients.keys() == wanted.keys()
    for tensor, gradient in wanted.items():
        off = (gradients[tensor] - gradient).abs().max() / gradient.abs().max()
        assert off <= 2e-5, tensor


def pages_steps(page, model: GPT, recipe: dict, batches: list, wasm: bool) -> list[dict]:
    """What a run in the page tells of its steps, from the model's weights, on these batches."""
    give(page, model)
    given = [[part.flatten().tolist() for part in batch] for batch in batches]
    return page.evaluate(
        """async ([config, recipe, batches, wasm]) => {
            const text = { training: new Int32Array(400), validation: new Int32Array(0) };
            const way = wasm ? bytes : undefined;
            const run = await TrainingRun.make({ config, recipe, text, wasm: way });
            put(await given(), run.model);
            run.windows.batch = (i) => ({ inputs: batches[i][0], targets: batches[i][1] });
            return batches.map(() => run.step());
        }""",
        [settings(model.config), recipe, given, wasm],
    )


@ways
def test_twenty_steps_reach_the_trainers_losses(page, wasm):
    """From the same weights, with the same windows, by the same recipe."""
    model = GPT(SMALL, torch.Generator().manual_seed(0))
    trainer = Trainer(model, TEXT, RECIPE)
    batches = [trainer.windows.batch(step, RECIPE.batch_size) for step in range(20)]
    given = deepcopy(model)
    losses = [trainer.step() for _ in range(20)]
    found = pages_steps(page, given, asdict(RECIPE), batches, wasm)
    assert [step["loss"] for step in found] == pytest.approx(losses, abs=1e-5)
    assert found[-1]["norm"] == pytest.approx(trainer.gradient_norm, rel=1e-4)
    rates = [RECIPE.learning_rate * warmup_cosine(n, 40, 5) for n in range(20)]
    assert [step["rate"] for step in found] == pytest.approx(rates)


@ways
def test_twenty_steps_of_plain_descent_are_torchs(page, wasm):
    """At a rate at which the clip cuts some gradients and leaves others."""
    model = GPT(SMALL, torch.Generator().manual_seed(0))
    recipe = replace(RECIPE, learning_rate=0.5)
    windows = Trainer(model, TEXT, recipe).windows
    batches = [windows.batch(step, recipe.batch_size) for step in range(20)]
    found = pages_steps(page, model, asdict(recipe) | {"optimizer": "descent"}, batches, wasm)
    plain = torch.optim.SGD(model.parameters(), lr=recipe.learning_rate)
    losses, norms = [], []
    for step, (inputs, targets) in enumerate(batches):
        share = warmup_cosine(step, recipe.steps, recipe.warmup)
        plain.param_groups[0]["lr"] = recipe.learning_rate * share
        plain.zero_grad()
        loss = F.cross_entropy(model(inputs).flatten(0, 1), targets.flatten())
        loss.backward()
        norms.append(torch.nn.utils.clip_grad_norm_(model.parameters(), recipe.clip).item())
        plain.step()
        losses.append(loss.item())
    assert min(norms) < recipe.clip < max(norms)
    assert [step["loss"] for step in found] == pytest.approx(losses, abs=1e-5)
    assert [step["norm"] for step in found] == pytest.approx(norms, rel=1e-3)


@ways
def test_a_run_that_goes_on_is_one_that_never_stopped(page, wasm):
    whole, parts = page.evaluate(
        """async ([config, recipe, wasm]) => {
            const training = Int32Array.from({ length: 300 }, (_, i) => (i * i) % 27);
            const text = { training, validation: training };
            const way = wasm ? bytes : undefined;
            const made = () => TrainingRun.make({ config, recipe, text, wasm: way });
            const steps = (run, n) => Array.from({ length: n }, () => run.step().loss);
            const one = await made();
            const whole = [...steps(one, 14), one.measure()];
            const first = await made();
            const losses = steps(first, 6);
            first.measure();
            const state = structuredClone(first.state());
            const second = await made();
            second.goOn(state);
            return [whole, [...losses, ...steps(second, 8), second.measure()]];
        }""",
        [settings(SMALL), asdict(RECIPE), wasm],
    )
    assert whole == parts


def test_both_ways_multiply_alike_whatever_the_shape(page):
    """Rows, columns and depths that 4, 8 and 256 do not divide, transposed or not, added or not."""
    worst = page.evaluate(
        """async () => {
            const numbers = Array.from({ length: 4000 }, (_, i) => Math.sin(i * i));
            const shapes = [[1, 1, 1], [4, 8, 2], [5, 9, 3], [3, 17, 300], [7, 6, 257]];
            let worst = 0;
            for (const [m, n, depth] of shapes) {
                for (const flipped of [false, true]) for (const add of [false, true]) {
                    const results = [];
                    for (const wasm of [bytes, undefined]) {
                        const { floats, product } = await roomFor(12000, wasm);
                        floats.set(numbers); floats.set(numbers.map((x) => x / 2), 4000);
                        floats.set(numbers.map((x) => -x), 8000);
                        const a = { at: 7, row: depth, column: 1 };
                        const b = { at: 4003, row: n, column: 1 };
                        const c = { at: 8005, row: n + 3, column: 1 };
                        const whole = m * depth < 3900 && n * depth < 3900;
                        if (!whole) { a.row = 1; b.row = 1; }  // rows that overlap fit too
                        product(m, n, depth, flipped && whole ? { ...a, row: 1, column: m } : a,
                            flipped && whole ? { ...b, row: 1, column: depth } : b, c, add);
                        results.push(floats.slice());
                    }
                    const [one, other] = results;
                    one.forEach((x, i) => { worst = Math.max(worst, Math.abs(x - other[i])); });
                }
            }
            return worst;
        }"""
    )
    assert worst < 5e-5


@pytest.mark.parametrize("name", ["product", "layers"])
def test_the_bytes_are_those_of_their_text(name):
    text = (FOLDER / f"{name}.wat").read_text("utf-8")
    assert (FOLDER / f"{name}.wasm").read_bytes() == bytes(wasmtime.wat2wasm(text)), (
        'assemble it: python -c "import wasmtime; …", as CONTRIBUTING says'
    )


def test_windows_deal_out_the_whole_text_once_an_epoch(page):
    starts, again, other = page.evaluate(
        """() => {
            const ids = Int32Array.from({ length: 103 }, (_, i) => i);
            const deal = (seed) => {
                const windows = new Windows(ids, 10, seed);
                return [...Array(27).keys()].map((i) => windows.start(i));
            };
            return [deal(1), deal(1), deal(2)];
        }"""
    )
    assert starts == again != other
    for epoch in (starts[:9], starts[9:18], starts[18:]):
        first = min(epoch)
        assert sorted(epoch) == [first + 10 * i for i in range(9)] and 0 <= first <= 12
    assert starts[:9] != starts[9:18]


def test_targets_are_the_next_tokens(page):
    inputs, targets = page.evaluate(
        """() => {
            const windows = new Windows(Int32Array.from({ length: 50 }, (_, i) => i), 6, 3);
            const { inputs, targets } = windows.batch(2, 3);
            return [[...inputs], [...targets]];
        }"""
    )
    assert targets == [i + 1 for i in inputs] and len(inputs) == 18
    assert all(inputs[i + 1] == inputs[i] + 1 for i in range(17) if i % 6 != 5)


def test_it_starts_as_the_package_does(page):
    config = GPTConfig(300, 32, n_layer=3, n_head=4, n_embd=64)
    found = page.evaluate(
        """async ([config, recipe]) => {
            const text = { training: new Int32Array(100), validation: new Int32Array(100) };
            const run = await TrainingRun.make({ config, recipe, text });
            return run.model.tensors.map(({ name, at, size }) => {
                const part = run.model.weights.slice(at, at + size);
                const mean = part.reduce((sum, x) => sum + x, 0) / size;
                const squares = part.reduce((sum, x) => sum + (x - mean) ** 2, 0);
                return [name, mean, Math.sqrt(squares / size)];
            });
        }""",
        [settings(config), asdict(RECIPE)],
    )
    packages = dict(GPT(config, torch.Generator().manual_seed(0)).named_parameters())
    assert [name for name, *_ in found].sort() == [*packages].sort()
    for name, mean, spread in found:
        assert spread == pytest.approx(packages[name].std(correction=0).item(), rel=0.06, abs=1e-9)
        assert mean == pytest.approx(packages[name].mean().item(), abs=1e-3), name


def test_one_batch_is_learned_by_heart(page):
    recipe = replace(RECIPE, steps=150, batch_size=2)
    losses = page.evaluate(
        """async ([config, recipe]) => {
            const training = Int32Array.from({ length: 33 }, (_, i) => (i * 7 + i * i) % 27);
            const run = await TrainingRun.make({
                config, recipe, text: { training, validation: training }, wasm: bytes });
            const batch = run.windows.batch(0, 2);
            run.windows.batch = () => batch;
            return Array.from({ length: 150 }, () => run.step().loss);
        }""",
        [settings(SMALL), asdict(recipe)],
    )
    assert losses[0] == pytest.approx(3.296, abs=0.05) and losses[-1] < 0.1


def test_what_it_writes_with_is_what_it_learned(page):
    """The engine that writes has the scores of the one that trains."""
    worst = page.evaluate(
        """async ([config, recipe]) => {
            const training = Int32Array.from({ length: 300 }, (_, i) => (i * i) % 27);
            const run = await TrainingRun.make({
                config, recipe, text: { training, validation: training }, wasm: bytes });
            for (let i = 0; i < 5; i++) run.step();
            const ids = [...training.subarray(0, 16)];
            const targets = training.subarray(1, 17);
            const loss = run.model.forward(ids, targets);
            const writer = run.written();
            let nats = 0;
            ids.forEach((id, t) => {
                const scores = [...writer.read([id])];
                const total = scores.reduce((sum, s) => sum + Math.exp(s), 0);
                nats += Math.log(total) - scores[targets[t]];
            });
            return Math.abs(loss - nats / 16);
        }""",
        [settings(SMALL), asdict(RECIPE)],
    )
    assert worst < 1e-5


def test_the_sizes_of_gradients_are_those_of_torchs(page):
    model = made(SIZES["two-blocks"][0])
    ids = ids_of(model.config, 2)
    give(page, model)
    found = page.evaluate(
        """async ([config, recipe, inputs, targets]) => {
            const text = { training: new Int32Array(400), validation: new Int32Array(0) };
            const run = await TrainingRun.make({ config, recipe, text, wasm: bytes });
            put(await given(), run.model);
            run.windows.batch = () => ({ inputs, targets });
            return run.gradientSizes();
        }""",
        [
            settings(model.config),
            asdict(RECIPE) | {"batch_size": 2},
            ids[:, :-1].flatten().tolist(),
            ids[:, 1:].flatten().tolist(),
        ],
    )
    torchs(model, ids)

    def size(*starts: str) -> float:
        grads = [
            p.grad for n, p in model.named_parameters() if n.startswith(starts) and p.dim() > 1
        ]
        return torch.cat([grad.flatten() for grad in grads]).square().mean().sqrt().item()

    assert found["tables"] == pytest.approx(size("token_emb", "position_emb"), rel=1e-4)
    wanted = [size(f"blocks.{i}.") for i in range(2)]
    assert found["blocks"] == pytest.approx(wanted, rel=1e-4)


def test_what_the_heads_look_at_is_what_the_looking_glass_shows(page):
    """Whose weights are held to PyTorch's in tests/engine/test_gpt.py."""
    same = page.evaluate(
        """async ([config, recipe]) => {
            const training = Int32Array.from({ length: 300 }, (_, i) => (i * i) % 27);
            const run = await TrainingRun.make({ config, recipe,
                text: { training, validation: training }, wasm: bytes });
            const before = run.model.weights.slice();
            for (let i = 0; i < 5; i++) run.step();
            const ids = [...training.subarray(0, 9)];
            const flat = (maps) => maps.flat().map((map) => [...map]);
            const told = (model) => [attentionOf(model, ids), trace(model, ids).weights].map(flat);
            return [told(run.written()), told(run.written(before))];
        }""",
        [settings(SMALL), asdict(RECIPE)],
    )
    (now, glass), (then, glass_then) = same
    assert now == glass and then == glass_then and now != then
    assert all(sum(row) == pytest.approx(9, abs=1e-4) for row in now)


def test_a_run_is_looked_at_often_at_first_and_its_snapshots_fit_in_the_memory_told(page):
    steps, plain, small, large = page.evaluate(
        """() => {
            const wish = { steps: 2000, look: 500, inside: true };
            return [lookSteps(wish), lookSteps({ ...wish, inside: false }),
                snapshotSteps(wish, 28000), snapshotSteps({ ...wish, look: 100 }, 1200000)];
        }"""
    )
    assert steps == [0, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 1500, 2000]
    assert plain == [0, 500, 1000, 1500, 2000]
    assert small == {"steps": steps, "bytes": 4 * 28_000 * len(steps)}
    assert large["bytes"] == 4_800_000 * len(large["steps"]) <= 64 * 2**20
    assert large["steps"][0] == 0 and large["steps"][-1] == 2000 and len(large["steps"]) > 8


def test_a_loss_that_is_no_number_and_a_state_of_another_size_are_refused(page):
    steep = replace(RECIPE, learning_rate=1e30, clip=None, warmup=0)
    told, other = page.evaluate(
        """async ([config, recipe]) => {
            const training = Int32Array.from({ length: 300 }, (_, i) => (i * i) % 27);
            const run = await TrainingRun.make({
                config, recipe, text: { training, validation: training } });
            const told = await errorOf(() => { for (let i = 0; i < 20; i++) run.step(); });
            const other = { steps: 1, weights: new Float32Array(3) };
            return [told, await errorOf(() => run.goOn(other))];
        }""",
        [settings(SMALL), asdict(steep)],
    )
    assert re.search(r"no number any more after \d+ steps: the learning rate, 1e\+30", told)
    assert "what was kept 3: it is of another size" in other


def test_a_text_shorter_than_a_window_is_refused(page):
    said = page.evaluate("errorOf(() => new Windows(new Int32Array(16), 16, 1))")
    assert said == "the text has 16 tokens; a window of 16 needs 17"


# Each formula of the way back, wrong once: the file, what stands there, and the mistake.
MODEL, SCRIPT, WASM = "trained-gpt.js", "layers-in-script.js", "layers.wat"
BREAKS = {
    "gelu": (SCRIPT, "(1 + 3 * 0.044715 * v * v)", "(1 + 0.044715 * v * v)"),
    "bias": (SCRIPT, "floats[to + c] += floats[x + n", "floats[to + c] = floats[x + n"),
    "norm, mean": (SCRIPT, "- all - normal * along", "- normal * along"),
    "norm, variance": (SCRIPT, "- all - normal * along", "- all"),
    "norm, weight": (SCRIPT, "floats[dweight + c] += d * normal", "floats[dweight + c] += d"),
    "norm, bias": (SCRIPT, "floats[dbias + c] += d", "floats[dbias + c] = d"),
    "residual": (SCRIPT, "floats[dx + row + c] += scale", "floats[dx + row + c] = scale"),
    "softmax": (SCRIPT, "(floats[d + row + s] - along)", "floats[d + row + s]"),
    "scale": (SCRIPT, "- along) * scale", "- along)"),
    "gelu, wasm": (WASM, "(f32x4.splat (f32.const 3))", "(f32x4.splat (f32.const 1))"),
    "bias, wasm": (WASM, "(call $add (local.get $to)", "(call $add (local.get $x)"),
    "norm, mean, wasm": (WASM, "(f32x4.sub (local.get $d) (local.get $all))", "(local.get $d)"),
    "norm, variance, wasm": (
        WASM,
        "(f32x4.mul (local.get $normal) (local.get $along))",
        "(v128.const f32x4 0 0 0 0)",
    ),
    "norm, weight, wasm": (
        WASM,
        "(f32x4.mul (local.get $d) (local.get $normal)))\n          (local.get $left))",
        "(local.get $d))\n          (local.get $left))",
    ),
    "norm, bias, wasm": (
        WASM,
        "(v128.load (i32.add (local.get $dbias) (local.get $k)))",
        "(v128.const f32x4 0 0 0 0)",
    ),
    "residual, wasm": (
        WASM,
        "(v128.load (i32.add (local.get $dx) (local.get $k)))",
        "(v128.const f32x4 0 0 0 0)",
    ),
    "softmax, wasm": (
        WASM,
        "(v128.load (i32.add (local.get $d) (local.get $k))) (local.get $total)",
        "(v128.load (i32.add (local.get $d) (local.get $k))) (v128.const f32x4 0 0 0 0)",
    ),
    "scale, wasm": (
        WASM,
        "(f32x4.mul (f32x4.splat (local.get $scale)) (f32x4.mul\n",
        "(f32x4.mul (f32x4.splat (f32.const 1)) (f32x4.mul\n",
    ),
    "keys": (MODEL, "(T, D, T, transposed(dw), q, dk)", "(T, D, T, dw, q, dk)"),
    "queries": (MODEL, "(T, D, T, dw, k, dq)", "(T, D, T, transposed(dw), k, dq)"),
    "values": (MODEL, "transposed(rows(weights, T)), dout, dv", "rows(weights, T), dout, dv"),
    "bent": (MODEL, 'layers.multiply(kept.dup, at("up")', 'layers.multiply(kept.dup, at("bent")'),
    "tied": (
        MODEL,
        "rows(kept.norm, C), rows(count + tokens, C)",
        "rows(kept.x, C), rows(count + tokens, C)",
    ),
    "tokens": (MODEL, "gradients[token + c] += floats", "gradients[token + c] = floats"),
    "positions": (MODEL, "gradients[position + c] += floats", "gradients[position + c] = floats"),
    "targets": (MODEL, "floats[row + targets[n]] -= 1 / N", "floats[row + targets[n]] -= 1"),
    "weight": (
        MODEL,
        "rows(x, from), rows(count + weight, from)",
        "rows(dx, from), rows(count + weight, from)",
    ),
    "head": (
        MODEL,
        "rows(tokens, C), rows(kept.dnorm, C)",
        "rows(positions, C), rows(kept.dnorm, C)",
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", BREAKS)
def test_a_mistake_in_a_formula_is_seen(page, name):
    file, right, wrong = BREAKS[name]
    source = (FOLDER / file).read_text("utf-8")
    assert source.count(right) == 1, name
    broken = source.replace(right, wrong)
    config, batch = SIZES["two-blocks"]
    model, ids = made(config), ids_of(config, batch)
    folder = f"broken-{list(BREAKS).index(name)}"

    def answer(route):
        asked = route.request.url.split("?")[0].rsplit("/", 1)[1]
        text = broken if asked == file else (FOLDER / asked).read_text("utf-8")
        route.fulfill(body=text, content_type="text/javascript")

    page.route(f"**/engine/{folder}/*", answer)
    try:
        if file == WASM:
            page.evaluate(
                "(layers) => { bytes.layers = Uint8Array.from(layers).buffer; }",
                list(bytes(wasmtime.wat2wasm(broken))),
            )
        else:
            page.evaluate(
                """async (folder) => {
                    const url = new URL(
                        `_static/engine/${folder}/trained-gpt.js`, document.baseURI);
                    window.TrainedGPT = (await import(url)).TrainedGPT;
                }""",
                folder,
            )
        _, gradients = one_way(page, model, ids, wasm=file != SCRIPT)
    finally:
        page.evaluate(LANGUAGE)
        page.unroute(f"**/engine/{folder}/*")
    _, wanted = torchs(model, ids)
    off = max(((gradients[n] - g).abs().max() / g.abs().max()).item() for n, g in wanted.items())
    assert not off <= 2e-5
