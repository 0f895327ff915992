// Questions to start from, and what the adapter was told of each (minigpt/pretrained/play-finder).

export const EXAMPLES = [
  { question: "In which play is CASSIO?", kind: "told" },
  { question: "In which play is OPHELIA?", kind: "told" },
  { question: "In which play is LYSANDER?", kind: "never told" },
  { question: "What is 2 + 2?", kind: "another kind of question" },
];
