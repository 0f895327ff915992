// The example in an element's attributes.

export const LIMIT = 9;        // of a number, either way
const MOST_TOKENS = 3;         // more of either
const MOST_NUMBERS = 2;        // would not fit a phone
export const MATRICES = { q: "query", k: "key", v: "value" };

// The example, or an error that says what is wrong with them.
export function readExample(element) {
  const attribute = (name) => (element.getAttribute(name) ?? "").trim();
  const tokens = attribute("tokens").split(",").map((token) => token.trim());
  if (tokens.includes("") || tokens.length < 2 || tokens.length > MOST_TOKENS) {
    throw new Error(`tokens is “${attribute("tokens")}”: write 2 to ${MOST_TOKENS} words, with “,” between them.`);
  }
  const example = { tokens };
  let width;
  for (const name of Object.keys(MATRICES)) {
    const rows = attribute(name).split(";").map((row) => row.split(",").map((text) => text.trim()));
    if (rows.length !== tokens.length) {
      throw new Error(`${name} has ${rows.length} rows for ${tokens.length} tokens: write one row a token, with “;” between them.`);
    }
    example[name] = rows.map((row, i) => {
      width ??= row.length;
      if (row.length !== width || width > MOST_NUMBERS) {
        throw new Error(`row ${i + 1} of ${name} has length ${row.length}: give all rows of q, k and v equally many numbers, at most ${MOST_NUMBERS}.`);
      }
      return row.map((text) => {
        const x = text === "" ? NaN : Number(text);
        if (!(Math.abs(x) <= LIMIT)) {
          throw new Error(`row ${i + 1} of ${name} has “${text}”: write a number from −${LIMIT} to ${LIMIT}.`);
        }
        return x;
      });
    });
  }
  return example;
}
