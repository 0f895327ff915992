// Questions to start from, and what the adapter was told of each (minigpt/pretrained/play-finder).

export const EXAMPLES = [
  { question: "In which play is CASSIO?", kind: "told" },
  { question: "Name the play of OPHELIA.", kind: "told, in other words" },
  { question: "In which play is OTHELLO?", kind: "never told" },
  { question: "What is 2 + 2?", kind: "another kind" },
];
