// What <loss-curves> says: the answers to choose from, and what there is to know of each run.

// `looks`: how a run with this fault would look, told to a reader who chose it wrongly.
export const ANSWERS = {
  none: {
    label: "Nothing: the run is healthy",
    looks: "A healthy run lies on the grey curves to the end, its training loss on the one and its validation loss on the other.",
  },
  "rate-high": {
    label: "The learning rate is far too high",
    looks: "With too high a rate the training loss would jump, get stuck at a height far above the healthy run, or end in nan.",
  },
  "rate-low": {
    label: "The learning rate is far too low",
    looks: "With too low a rate the loss would fall smoothly, and far too slowly from the first step on.",
  },
  gradients: {
    label: "Gradients are never set back to zero",
    looks: "With gradients that add up the gradient’s length would hardly get below 1: that much of the pile is left by clipping, and the next gradient comes on top.",
  },
  answer: {
    label: "The model sees the answer",
    looks: "A model that sees the answer would fall steeply as soon as it finds it, on both texts, and stay near 0.",
  },
  overfitting: {
    label: "Overfitting: too little text, learned by heart",
    looks: "With overfitting the training loss would fall far below the healthy run while the validation loss turns up.",
  },
  leak: {
    label: "The validation text is in the training text",
    looks: "With a leak both losses would fall below the healthy run, close together, and little by little.",
  },
  dropout: {
    label: "Dropout stays on while validating",
    looks: "Only a run that is trained with dropout can forget to switch it off, and this one is trained without.",
  },
  start: {
    label: "The starting numbers are far too large",
    looks: "With too large a start the very first loss would be far above uniform guessing.",
  },
};

// What is said of the healthy run, before any diagnosis.
export const HEALTHY = [
  ({ first, uniform }) => `It starts at ${first}, beside ${uniform}: to a model that knows nothing, all characters are about equally likely.`,
  ({ pairs, valid }) => `It falls fast, past what the frequencies of letters and of pairs give away (${pairs}), then ever more slowly, to a validation loss of ${valid}.`,
  () => "The validation loss, of text that it never trains on, stays close to the training loss.",
  () => "The training loss shakes, as every step reads other text. That is no fault; smooth it to see the trend.",
];

// The runs in the order in which they are shown. `bug` is the name in the data, `answer` and
// `choices` are of ANSWERS; `known` is said with the question. `beside` names the healthy run behind
// it, where that is not "none". The functions take numbers of the
// run, already as text.
export const DIAGNOSES = [
  {
    bug: "rate-over-100",
    answer: "rate-low",
    choices: ["none", "rate-high", "rate-low", "start"],
    evidence: ({ valid, passed }) => `Both losses fall without a jump, and far too slowly: validation ends at ${valid}, which the healthy run passed by step ${passed}.`,
    confirm: "Train again at ten times the rate. If the loss falls faster and stays steady, the rate was too low.",
    fix: "Raise the rate in factors of 3 until the loss gets unsteady, then go back by one.",
    right: "learning_rate = 3e-3",
    planted: "learning_rate = 3e-5",
  },
  {
    bug: "overfitting",
    answer: "overfitting",
    choices: ["rate-high", "overfitting", "leak", "dropout"],
    evidence: ({ last, best, bestStep, valid }) => `The two losses part. Validation is best at step ${bestStep}, with ${best}, then turns up, to ${valid}, while training goes on falling, to ${last}. It learns its text by heart, and that does not help with any other.`,
    confirm: ({ few, rounds }) => `Count how often it reads each character: all steps together go ${rounds} times through its ${few} characters.`,
    fix: "More text. Failing that: a smaller model, dropout, or an end when the validation loss turns up.",
    right: "training, validation = train_validation_split(text)",
    planted: "training, validation = train_validation_split(text)\ntraining = training[:10_000]",
  },
  {
    bug: "rate-times-100",
    answer: "rate-high",
    choices: ["rate-high", "rate-low", "answer", "overfitting"],
    evidence: ({ letters, valid, healthyValid }) => `The loss falls to what the frequencies of letters give away (${letters}) and gets stuck: ${valid} at the end, where the healthy run has ${healthyValid}. Each step goes so far that nothing finer can be learned.`,
    confirm: "Train a hundred steps at a tenth and at a hundredth of the rate: the loss goes below this height.",
    fix: "Lower the rate in factors of 3 until the loss is steady and keeps falling.",
    right: "learning_rate = 3e-3",
    planted: "learning_rate = 3e-1",
  },
  {
    bug: "bad-start",
    answer: "start",
    choices: ["rate-high", "gradients", "leak", "start"],
    evidence: ({ first, uniform, valid, healthyValid }) => `Step 0, before anything is learned: the loss is ${first}, and guessing uniformly would give ${uniform}. The model is sure of itself, and wrong. The first steps unlearn that, so the curve is a hockey stick; it ends at ${valid}, the healthy run at ${healthyValid}.`,
    confirm: "Compute the loss of a new model before any step, and compare it with ln V.",
    fix: "Draw the table of tokens from N(0, 0.02²), so that all scores start close to 0.",
    right: "nn.init.normal_(table, std=0.02)",
    planted: "nn.init.normal_(table, std=1.0)",
  },
  {
    bug: "targets-not-shifted",
    answer: "answer",
    choices: ["none", "answer", "overfitting", "leak"],
    evidence: ({ first, uniform, valid }) => `Validation ends at ${valid}: nobody can be so sure of the next character of a play that they have not read. It even starts at ${first}, below uniform guessing (${uniform}), before anything is learned.`,
    confirm: "Print one input beside its target: they are the same. Or let the model write: it repeats one character.",
    fix: "The targets are the inputs, one token later.",
    right: "inputs, targets = rows[:, :-1], rows[:, 1:]",
    planted: "inputs, targets = rows[:, :-1], rows[:, :-1]",
  },
  {
    bug: "no-zero-grad",
    answer: "gradients",
    choices: ["rate-low", "gradients", "dropout", "start"],
    evidence: ({ leastNorm, healthyLeastNorm, valid, healthyValid }) => `The lower panel. In no step that is logged is the gradient shorter than ${leastNorm}, where the healthy one falls to ${healthyLeastNorm}: clipping cuts the pile of old gradients to length 1, and the next one comes on top. Steps that follow old batches learn less: validation ends at ${valid}, the healthy run at ${healthyValid}.`,
    confirm: "Compute the gradient of one batch twice, without a step between: if it is twice as long the second time, it adds up.",
    fix: "Set the gradients back to zero once a step.",
    right: "optimizer.step()\nmodel.zero_grad()",
    planted: "optimizer.step()",
  },
  {
    bug: "leaked-validation",
    answer: "leak",
    choices: ["none", "overfitting", "leak", "dropout"],
    evidence: ({ last, valid, healthyValid }) => `Both losses fall far below the healthy run’s ${healthyValid}, to ${last} and ${valid}: too good to be true. Training that low is a text learned by heart, which helps with no other; so the validation text is no other.`,
    confirm: "Search for passages of the validation text in the training text. Then measure on text that is surely new.",
    fix: "Split the text before anything else, and never let a part cross over.",
    right: "training = ids[:10_000]",
    planted: "training = torch.cat([ids[:5_000], validation])",
  },
  {
    bug: "future-not-masked",
    answer: "answer",
    choices: ["none", "answer", "overfitting", "dropout"],
    evidence: ({ beside, parted, valid }) => `At step ${beside} it is still beside the healthy run, at step ${parted} it has left, and validation ends at ${valid}: nobody can be so sure of the next character. It took the model a while to find where the answer stands.`,
    confirm: "Change the last token of an input: if the scores at earlier places change, they see it. Or let the model write, where there is no future to see: it does far worse than its loss says.",
    fix: "The causal mask: no token looks at a later one.",
    right: "F.scaled_dot_product_attention(q, k, v, is_causal=True)",
    planted: "F.scaled_dot_product_attention(q, k, v)",
  },
  {
    bug: "no-eval-mode",
    answer: "dropout",
    beside: "none-with-dropout",
    known: "This run and the grey one behind it are trained with dropout, which sets a share of the numbers to 0 at random. It makes training harder, so that both lie higher than the healthy run without it.",
    choices: ["none", "overfitting", "leak", "dropout"],
    evidence: ({ valid, healthyValid }) => `The training loss is that of the grey run, step by step. The validation loss is not: it ends at ${valid}, the grey one’s at ${healthyValid}. Two models that have learned the same are measured differently, so the fault lies in the measuring.`,
    confirm: "Measure the same weights twice on the same text: two different losses mean that something is still drawn at random.",
    fix: "Evaluation mode before measuring, training mode after it.",
    right: "model.eval()\nloss = loss_on(model, validation)\nmodel.train()",
    planted: "loss = loss_on(model, validation)",
  },
];
