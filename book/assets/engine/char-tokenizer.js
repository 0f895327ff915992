// Characters as tokens, as in minigpt/tokenizer/char_tokenizer.py: ids are places in a list.

export class CharTokenizer {
  // characters: by id.
  constructor(characters) {
    this.characters = characters;
    this.size = characters.length;
    this.ids = new Map(characters.map((character, id) => [character, id]));
  }

  encode(text) {
    return Array.from(text, (character, place) => {
      const id = this.ids.get(character);
      if (id !== undefined) return id;
      throw new Error(`“${character}”, character ${place + 1} of the text, is not among the ${this.size} that this model knows: take it out, or write another`);
    });
  }

  tokenBytes(id) {
    if (this.characters[id] === undefined) throw new RangeError(`token id ${id} is not between 0 and ${this.size - 1}`);
    return new TextEncoder().encode(this.characters[id]);
  }

  decode(ids) { return ids.map((id) => this.characters[id]).join(""); }
}
