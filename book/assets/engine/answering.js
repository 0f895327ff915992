// An answer to a conversation, as it comes: minigpt.finetuning.answer (minigpt/finetuning/answering.py)
// at temperature 0, where each token is the best one.

// model: {config, tokenizer, scores}. template: a ChatTemplate. messages: {role, content}, the last
// of them a question. Gives, after each token, {ids, text, ended, cut}: the tokens so far, those of
// the end mark too; the text without that, as far as it is settled; whether it is the whole answer,
// and whether only because there were `most` tokens.
export async function* answers(model, template, messages, most = 100) {
  const { tokenizer, config } = model;
  const prompt = template.prompt(messages, tokenizer);
  const room = config.n_positions - most;
  if (prompt.length > room) {
    throw new Error(`the question has ${prompt.length} tokens with its names, and there is room for ${room}: ask a shorter one`);
  }
  const ids = [];
  for (let ended = false; !ended;) {
    const scores = await model.scores([...prompt, ...ids]);
    const best = bestOf(scores, tokenizer.size);
    const over = best === tokenizer.end;
    if (!over) ids.push(best);
    const text = tokenizer.decode(ids);
    const at = text.indexOf(template.after);
    const cut = !over && at < 0 && ids.length >= most;
    ended = over || at >= 0 || cut;
    yield { ids: [...ids], text: at >= 0 ? text.slice(0, at) : ended ? text : settled(text, template.after), ended, cut };
  }
}

// The place of the best score; of equal ones the first. Scores of tokens without a text are left out.
function bestOf(scores, size) {
  let best = 0;
  for (let i = 1; i < Math.min(size, scores.length); i++) {
    if (scores[i] > scores[best]) best = i;
  }
  if (!Number.isFinite(scores[best])) throw new Error("its scores are not finite, so there is no best one");
  return best;
}

// Without what may be the beginning of the end mark, or of a character that is not whole.
function settled(text, mark) {
  const whole = text.replace(/\uFFFD+$/, "");
  for (let n = Math.min(mark.length - 1, whole.length); n > 0; n--) {
    if (mark.startsWith(whole.slice(-n))) return whole.slice(0, -n);
  }
  return whole;
}
