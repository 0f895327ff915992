// The files of a folder that a reader chose or dropped: {name, files}, its name in words and a Map
// of names to File. Folders inside it are left out, as a run of minigpt has some with much in them.

// list: of an input; where a folder was chosen, each file has its path from there.
export function chosenFiles(list) {
  if (!list.length) return undefined;
  const path = (file) => file.webkitRelativePath.split("/");
  const files = [...list].filter((file) => path(file).length <= 2);
  const [folder, inside] = path(list[0]);
  return named(inside === undefined ? undefined : folder, files);
}

// Folders or files; of several folders, the first.
export async function droppedFiles({ items, files }) {
  const entries = [...items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
  const folder = entries.find(({ isDirectory }) => isDirectory);
  if (!folder) return named(undefined, [...files]);
  const inside = (await entriesOf(folder)).filter(({ isFile }) => isFile);
  return named(folder.name, await Promise.all(inside.map((entry) => new Promise((resolve, reject) => { entry.file(resolve, reject); }))));
}

// A browser gives them a hundred at a time.
async function entriesOf(folder) {
  const reader = folder.createReader();
  const all = [];
  for (;;) {
    const some = await new Promise((resolve, reject) => { reader.readEntries(resolve, reject); });
    if (!some.length) return all;
    all.push(...some);
  }
}

const named = (folder, files) => ({ name: folder ? `“${folder}”` : "Your model", files: new Map(files.map((file) => [file.name, file])) });
