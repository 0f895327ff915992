// What a model's heads look at in a text.

// model: a GPT (gpt.js). ids: T tokens. Returns maps[block][head]: T × T weights, row after row.
export function attentionOf(model, ids) {
  const { n_layer: L, n_head: H } = model.config;
  const T = ids.length;
  const maps = Array.from({ length: L }, () => Array.from({ length: H }, () => new Float32Array(T * T)));
  model.rewind(0);
  ids.forEach((id, t) => {
    let head = 0;
    model.step(id, (what, x) => {
      if (what !== "weights") return;
      maps[Math.floor(head / H)][head % H].set(x, t * T);
      head += 1;
    });
  });
  return maps;
}
