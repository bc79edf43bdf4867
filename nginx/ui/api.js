// Requests to this host's API. The token lies in sessionStorage, and goes into
// the Authorization header: never into a URL, never into a cookie.

const KEY = 'metagate.token'
let lost = () => {}

export const token = () => sessionStorage.getItem(KEY)
export function keepToken(text) {
  if (text) sessionStorage.setItem(KEY, text)
  else sessionStorage.removeItem(KEY)
}

// What to do when the token is none any more.
export function onLost(f) { lost = f }

// What the host refuses: its status, its word, its sentence.
export class Refused extends Error {
  constructor(status, word, message) {
    super(message)
    this.status = status
    this.word = word
  }
}

async function refusal(reply) {
  const text = await reply.text()
  try {
    const said = JSON.parse(text)
    return new Refused(reply.status, said.error || '', said.message || text)
  } catch {
    return new Refused(reply.status, '', text.trim() || reply.statusText)
  }
}

// credentials are left out, so that the browser asks for no password itself
// and sends no cookie.
export async function fetchOf(path, { method = 'GET', body, headers = {}, signal, as = token() } = {}) {
  let reply
  try {
    reply = await fetch(path, {
      method, body, signal, cache: 'no-store', credentials: 'omit', redirect: 'error',
      referrerPolicy: 'no-referrer',
      headers: { ...(as ? { Authorization: `Bearer ${as}` } : {}), ...headers }
    })
  } catch (e) {
    if (e.name === 'AbortError') throw e
    throw new Refused(0, 'unreachable', '')
  }
  if (reply.ok || reply.status === 304) return reply
  const e = await refusal(reply)
  if (e.status === 401 && as === token()) lost(e)
  throw e
}

export async function ask(path, options) {
  return (await fetchOf(path, options)).json()
}

export async function send(path, body, options = {}) {
  const reply = await fetchOf(path, {
    method: 'POST', body: body === undefined ? '' : JSON.stringify(body),
    headers: { 'Content-Type': 'application/json' }, ...options
  })
  const text = await reply.text()
  return text ? JSON.parse(text) : {}
}

// Asks again and again for what path() says, by ETag: show is called with what
// is new, fail with what was refused, and show again when it is over. A page
// that is not looked at does not ask. Returns what ends it; .now() asks at
// once.
export function watch(path, show, fail, every = 4000) {
  let timer = 0
  let etag = ''
  let failed = false
  let over = false
  let at = ''
  const abort = new AbortController()

  async function turn() {
    clearTimeout(timer)
    const where = typeof path === 'function' ? path() : path
    if (where !== at) etag = ''
    at = where
    try {
      const reply = await fetchOf(where, {
        signal: abort.signal,
        headers: etag && !failed ? { 'If-None-Match': etag } : {}
      })
      if (reply.status !== 304) {
        const data = await reply.json()
        etag = reply.headers.get('ETag') || ''
        if (!over && where === at) show(data)
      }
      failed = false
    } catch (e) {
      if (over || e.name === 'AbortError') return
      failed = true
      fail(e)
    }
    if (!over && !document.hidden) timer = setTimeout(turn, every)
  }
  const seen = () => { if (!document.hidden) turn() }
  document.addEventListener('visibilitychange', seen)
  turn()
  const end = () => {
    over = true
    clearTimeout(timer)
    abort.abort()
    document.removeEventListener('visibilitychange', seen)
  }
  end.now = turn
  return end
}
