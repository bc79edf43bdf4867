// gperftools' profiles, read: the binary form of CPU time, the text of a heap.
// Names of addresses are asked of the process that they are of.
import { fetchOf } from './api.js'

const AT_ONCE = 2000 // addresses in a request

// [[addresses leaf first as hexadecimal digits, count], …] and what a count is
function readCpu(buffer) {
  const words = new BigUint64Array(buffer.slice(0, buffer.byteLength - buffer.byteLength % 8))
  const period = Number(words[3])
  const stacks = []
  let i = 2 + Number(words[1])
  while (i + 3 <= words.length) {
    const depth = Number(words[i + 1])
    if (words[i] === 0n && depth === 1 && words[i + 2] === 0n) break
    stacks.push([[...words.subarray(i + 2, i + 2 + depth)], Number(words[i])])
    i += 2 + depth
  }
  return { unit: 'us', scale: period, stacks }
}

// What was sampled stands for more: of objects of a size, one in so many.
function unsampled(objects, size, rate) {
  if (!rate || !objects || !size) return size
  return size / (1 - Math.exp(-(size / objects) / rate))
}

function readHeap(text) {
  const rate = Number((/@ heap_v2\/(\d+)/.exec(text) || [])[1] || 0)
  const stacks = []
  for (const line of text.slice(0, text.indexOf('\nMAPPED_LIBRARIES')).split('\n').slice(1)) {
    const m = /^\s*(\d+):\s*(\d+)\s*\[.*\] @((?: 0x[0-9a-f]+)+)/.exec(line)
    if (m && Number(m[2]) > 0)
      stacks.push([m[3].trim().split(' ').map(BigInt), unsampled(Number(m[1]), Number(m[2]), rate)])
  }
  return { unit: 'bytes', scale: 1, stacks }
}

async function namesOf(base, addresses, signal) {
  const names = new Map()
  for (let i = 0; i < addresses.length; i += AT_ONCE) {
    const body = addresses.slice(i, i + AT_ONCE).map(a => `0x${a.toString(16)}`).join('+')
    const reply = await fetchOf(`${base}/symbol`, {
      method: 'POST', body, signal, headers: { 'Content-Type': 'text/plain' }
    })
    for (const line of (await reply.text()).split('\n')) {
      const [address, name] = line.split('\t')
      if (name) names.set(BigInt(address), name)
    }
  }
  return names
}

// { raw, note, unit, stacks: [[names root first, count], …] }: a profile of
// what is below base, as /pool/pprof.
export async function collect(base, query, signal) {
  const reply = await fetchOf(`${base}/${query}`, { signal })
  const raw = await reply.arrayBuffer()
  const note = reply.headers.get('X-Metagate-Note') || ''
  const text = new Uint8Array(raw, 0, Math.min(13, raw.byteLength))
  const heap = new TextDecoder().decode(text) === 'heap profile:'
  const read = heap ? readHeap(new TextDecoder().decode(raw)) : readCpu(raw)
  // a caller's address is behind its call
  const moved = read.stacks.map(([pcs, n]) => [pcs.map((a, i) => i && a ? a - 1n : a), n])
  const names = await namesOf(base, [...new Set(moved.flatMap(([pcs]) => pcs))], signal)
  const sums = new Map()
  for (const [pcs, n] of moved) {
    const key = pcs.map(a => names.get(a) || `0x${a.toString(16)}`).reverse().join(';')
    sums.set(key, (sums.get(key) || 0) + n * read.scale)
  }
  return { raw, note, unit: read.unit, folded: [...sums].map(([k, n]) => `${k} ${Math.round(n)}`).sort().join('\n') }
}

export function stacksOf(folded) {
  return folded.split('\n').filter(Boolean).map(line => {
    const at = line.lastIndexOf(' ')
    return [line.slice(0, at).split(';'), Number(line.slice(at + 1))]
  })
}
