// A conversation as the tokens of one text: minigpt.finetuning.ChatTemplate
// (minigpt/finetuning/chat_template.py), by the settings in a model's chat_template.jinja.

import { SPACES } from "./letters.js";

const SETTINGS = /^\{#- minigpt: (.*) -#\}/;
const ROLES = ["system", "user", "assistant"];
const SPACE = `[${SPACES}\\x1c-\\x1f]`;  // what Python's strip takes off
const ENDS = new RegExp(`^${SPACE}+|${SPACE}+$`, "gu");
const EMPTY = new RegExp(`^${SPACE}*$`, "u");

export class ChatTemplate {
  // text: of a chat_template.jinja that minigpt.finetuning.save_template wrote.
  static of(text) {
    const [, settings] = SETTINGS.exec(text) ?? [];
    if (!settings) throw new Error("the chat template was not written by minigpt, and templates of others (Jinja) are not computed here");
    return new ChatTemplate(JSON.parse(settings));
  }

  // names: of each role. before, after: what stands around a message; `after` is the end mark.
  constructor({ before, after, ...names }) {
    Object.assign(this, { before, after, names });
  }

  // messages: {role, content}. Returns ids, which end where an answer begins. Names, line ends and
  // messages are tokenized apart; special tokens are known in the template alone.
  prompt(messages, tokenizer) {
    const ids = [];
    const template = (text) => { for (const part of text.split(/(\n)/)) ids.push(...withSpecial(part, tokenizer)); };
    messages.forEach(({ role, content }, i) => {
      template(this.opening(role, i + 1));
      ids.push(...tokenizer.encode(closedUp(content, i + 1)));
      template(this.after);
    });
    template(this.opening("assistant"));
    return ids;
  }

  opening(role, number) {
    if (!ROLES.includes(role)) throw new Error(`message ${number} has the role ${role}; it must be one of ${ROLES.join(", ")}`);
    return this.before.replaceAll("{name}", () => this.names[role]);
  }
}

function withSpecial(text, tokenizer) {
  const special = tokenizer.special ?? [];
  const at = special.findIndex((name) => text.includes(name));
  if (at < 0) return tokenizer.encode(text);
  const [before, ...rest] = text.split(special[at]);
  return [...withSpecial(before, tokenizer), tokenizer.size - special.length + at, ...withSpecial(rest.join(special[at]), tokenizer)];
}

// Without the empty lines, and the spaces at both ends, that would end or hide a turn.
function closedUp(content, number) {
  const text = content.replace(ENDS, "").split("\n").filter((line) => !EMPTY.test(line)).join("\n");
  if (!text) throw new Error(`message ${number} has no text: write some`);
  return text;
}
