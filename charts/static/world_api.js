/**
 * The API of the world that serves this page: read, and change with the token where one is set.
 *
 * Paths are relative to the page, so that it works below a prefix too.
 */

const TOKEN_KEY = "agentaskit-sim-token";

/** What the server refused, in its own sentence. */
export class RefusedError extends Error {}

/**
 * The token that this tab sends; it is kept for the tab alone.
 * @returns {string}
 */
export function readToken() {
  return sessionStorage.getItem(TOKEN_KEY) ?? "";
}

/**
 * Keep a token for this tab.
 * @param {string} token
 */
export function keepToken(token) {
  if (token) sessionStorage.setItem(TOKEN_KEY, token);
  else sessionStorage.removeItem(TOKEN_KEY);
}

/**
 * Send a request below the API and return its document. Raises `RefusedError` with the server's
 * sentence, or one that says that it does not answer.
 * @param {string} method
 * @param {string} path
 * @param {object} [body]
 * @returns {Promise<any>}
 */
export async function call(method, path, body) {
  /** @type {Record<string, string>} */
  const headers = {};
  const token = readToken();
  if (body !== undefined) headers["Content-Type"] = "application/json";
  if (token && method !== "GET") headers.Authorization = `Bearer ${token}`;
  /** @type {RequestInit} */
  const request = { method, headers, cache: "no-store" };
  if (body !== undefined) request.body = JSON.stringify(body);
  let answer;
  try {
    answer = await fetch(`api/v1/${path}`, request);
  } catch {
    throw new RefusedError("the server does not answer");
  }
  const received = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new RefusedError(received.error ?? `the server answered ${answer.status}`);
  return received;
}
