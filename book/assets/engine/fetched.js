// What is fetched, and what a fetch that went wrong says. An error of the way is a NetworkError,
// that of a file which came and does not fit a plain Error; JavaScript's own kinds are faults of
// the program. parts/what-failed.js tells a reader which it was.

export class NetworkError extends Error {
  name = "NetworkError";
}

// Resolves to what `read` resolves to; what goes wrong there is the network's fault.
export async function onTheWay(url, read) {
  try {
    return await read();
  } catch (error) {
    throw new NetworkError(`${url}: ${error.message}`);
  }
}

// An answer with an error in it is an error too.
export async function fetched(url) {
  const answer = await onTheWay(url, () => fetch(url));
  if (!answer.ok) throw new NetworkError(`${url} answered ${answer.status}`);
  return answer;
}

export async function fetchedBytes(url) {
  const answer = await fetched(url);
  return onTheWay(url, () => answer.arrayBuffer());
}

export async function fetchedJson(url) {
  const text = new TextDecoder().decode(await fetchedBytes(url));
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new Error(`${url} is not JSON: ${error.message}`);
  }
}
