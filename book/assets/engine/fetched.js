// What a fetch that went wrong says: an answer with an error in it is an error too.

export async function fetched(url) {
  const answer = await fetch(url);
  if (!answer.ok) throw new Error(`${url} answered ${answer.status}`);
  return answer;
}
