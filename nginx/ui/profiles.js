// Profiles of a worker, of all of them or of another daemon: collected here,
// drawn as a flame graph, listed, compared.
import { h, fill, field, choice, download } from './dom.js'
import { t, ago, time, number, share, bytes } from './i18n.js'
import { ask } from './api.js'
import { collect, stacksOf } from './pprof.js'
import { flame, tree, functions } from './flame.js'
import { kept, keep, forget } from './kept.js'
import { trouble, grid, page } from './parts.js'

const ROWS = 60

const kinds = () => [['cpu', t('prof.cpu')], ['heap', t('prof.heap')],
  ['kept', t('prof.kept')], ['growth', t('prof.growth')]]
const waits = kind => kind === 'cpu' || kind === 'kept'
const query = (kind, seconds) => ({
  cpu: `profile?seconds=${seconds}`, heap: 'heap', kept: `heap?seconds=${seconds}`, growth: 'growth'
})[kind]

function baseOf(target) {
  if (target === 'pool') return '/pool/pprof'
  return target.startsWith('serve-') ? `/worker/${target.slice(6)}/pprof` : `/role/${target}/pprof`
}

const nameOf = target => target === 'pool' ? t('prof.pool') : target
const sayOf = unit => v => unit === 'us' ? t('prof.seconds', { n: number(v / 1e6, 2) }) : bytes(v)
const kindName = kind => kinds().find(([k]) => k === kind)?.[1] || kind
const titleOf = p => `${nameOf(p.target)} · ${kindName(p.kind)}${waits(p.kind) ? ` · ${p.seconds} s` : ''}`

async function targets() {
  try {
    const { items } = await ask('/api/children')
    return items.map(c => c.name)
      .filter(n => /^(serve|control|supervise|capture)-/.test(n))
  } catch (e) {
    if (e.status !== 403 && e.status !== 404) throw e
    return ['serve-0'] // a token of scope profile sees no list
  }
}

export default async function (main) {
  let list = await kept()
  let shown = null
  let other = null
  let graph = null
  let abort = null
  let search = ''
  const names = await targets()

  const target = choice([['pool', t('prof.pool')], ...names.map(n => [n, n])], 'pool')
  const kind = choice(kinds(), 'cpu', v => { seconds.disabled = !waits(v) })
  const seconds = h('input', { type: 'number', min: 1, max: 300, value: 10, required: true })
  const go = h('button', { class: 'primary', type: 'submit' }, t('prof.collect'))
  const stop = h('button', { type: 'button', hidden: true, onclick: () => abort && abort.abort() }, t('prof.cancel'))
  const bar = h('progress', { max: 1, value: 0, hidden: true, 'aria-label': t('prof.progress') })
  const said = h('div', { 'aria-live': 'polite' })
  const result = h('section', { class: 'result', 'aria-label': t('prof.result') })
  const history = h('div', { class: 'history' })

  const form = h('form', { class: 'card row', onsubmit: start },
    field(t('prof.of'), target), field(t('prof.kind'), kind), field(t('prof.howlong'), seconds), go, stop, bar)

  async function start(e) {
    e.preventDefault()
    const asked = { target: target.value, kind: kind.value, seconds: Number(seconds.value) }
    const began = Date.now()
    abort = new AbortController()
    go.disabled = true
    stop.hidden = bar.hidden = !waits(asked.kind)
    fill(said)
    const tick = setInterval(() => {
      bar.value = Math.min(1, (Date.now() - began) / asked.seconds / 1000)
    }, 200)
    try {
      const got = await collect(baseOf(asked.target), query(asked.kind, asked.seconds), abort.signal)
      const profile = { ...asked, at: Date.now(), ...got }
      profile.id = await keep(profile)
      list = await kept()
      if (!list.length) list = [profile]
      other = null
      show(profile)
    } catch (e) {
      if (e.name !== 'AbortError') fill(said, trouble(e))
    } finally {
      clearInterval(tick)
      go.disabled = false
      stop.hidden = bar.hidden = true
      bar.value = 0
    }
  }

  function table(stacks, say) {
    const total = stacks.reduce((s, [, n]) => s + n, 0) || 1
    const before = other && new Map(functions(stacksOf(other.folded)).map(f => [f.name, f]))
    const sum = other ? stacksOf(other.folded).reduce((s, [, n]) => s + n, 0) || 1 : 1
    const rows = functions(stacks).map(f => ({
      ...f, change: before ? f.self / total - (before.get(f.name)?.self || 0) / sum : 0
    }))
    for (const [name, f] of before || [])
      if (!rows.some(r => r.name === name)) rows.push({ name, self: 0, total: 0, change: -f.self / sum })
    rows.sort((a, b) => other ? Math.abs(b.change) - Math.abs(a.change) : b.self - a.self || b.total - a.total)
    const columns = [
      { key: 'name', title: t('prof.function'), cell: r => h('button', { type: 'button', class: 'link mono', onclick: () => find(r.name) }, r.name) },
      { key: 'self', title: t('prof.self'), end: true, cell: r => `${say(r.self)} · ${share(r.self / total)}` },
      { key: 'total', title: t('prof.total'), end: true, cell: r => `${say(r.total)} · ${share(r.total / total)}` }
    ]
    if (other) columns.push({ key: 'change', title: t('prof.change'), end: true, cell: r => `${r.change > 0 ? '+' : ''}${share(r.change)}` })
    return grid({ label: t('prof.functions'), columns, rows: rows.slice(0, ROWS), sortable: true })
  }

  const box = h('input', { type: 'search', id: 'search', placeholder: t('prof.search'), 'aria-label': t('prof.search') })
  box.addEventListener('input', () => { search = box.value; if (graph) graph.search(search) })
  function find(name) {
    box.value = search = name
    graph.search(search)
    box.scrollIntoView({ block: 'center' })
  }

  function stem(p) {
    return `${p.target}-${p.kind}-${new Date(p.at).toISOString().slice(0, 19).replace(/:/g, '')}`
  }

  function show(profile) {
    shown = profile
    if (graph) graph.end()
    graph = null
    const stacks = stacksOf(profile.folded)
    const total = stacks.reduce((s, [, n]) => s + n, 0)
    const say = sayOf(profile.unit)
    drawHistory()
    const head = h('div', { class: 'row spread' },
      h('h2', {}, titleOf(profile), ' ', h('small', {}, t('prof.whole', { n: say(total) }), ' · ', time(profile.at))),
      h('div', { class: 'row' },
        h('button', { type: 'button', onclick: () => download(`${stem(profile)}.prof`, 'application/octet-stream', profile.raw) }, t('prof.raw')),
        h('button', { type: 'button', onclick: () => download(`${stem(profile)}.folded`, 'text/plain', profile.folded + '\n') }, t('prof.folded'))))
    if (!stacks.length) {
      fill(result, head, h('p', { class: 'notice' }, t('prof.none'), ' ',
        profile.kind === 'cpu' ? t('prof.none.cpu') : profile.kind === 'heap' ? t('prof.none.heap') : t('prof.none.other')))
      return
    }
    const against = list.filter(p => p.id !== profile.id && p.unit === profile.unit && p.folded)
    const compare = choice([['', t('prof.nothing')], ...against.map(p => [String(p.id), `${titleOf(p)} · ${time(p.at)}`])],
      other ? String(other.id) : '', v => { other = list.find(p => String(p.id) === v) || null; show(profile) })
    graph = flame(tree(stacks, other && stacksOf(other.folded)), { compared: !!other, say })
    fill(result, head,
      h('div', { class: 'row' }, box, against.length ? field(t('prof.against'), compare) : null),
      other ? h('p', { class: 'legend' }, h('span', { class: 'key more2' }, t('prof.more')), ' ', h('span', { class: 'key less2' }, t('prof.less'))) : null,
      graph.node, h('h3', {}, t('prof.functions')), h('div', { class: 'long' }, table(stacks, say)))
    if (search) graph.search(search)
  }

  function drawHistory() {
    fill(history, h('h2', {}, t('prof.history')),
      list.length === 0 ? h('p', { class: 'empty' }, t('prof.history.none')) :
        grid({
          label: t('prof.history'), rows: list,
          columns: [
            { title: t('prof.of'), cell: p => h('button', { type: 'button', class: 'link', 'aria-current': shown && shown.id === p.id ? 'true' : null, onclick: () => { other = null; show(p); result.scrollIntoView() } }, titleOf(p)) },
            { title: t('prof.total'), end: true, cell: p => sayOf(p.unit)(stacksOf(p.folded).reduce((s, [, n]) => s + n, 0)) },
            { title: t('prof.when'), cell: p => h('span', { title: time(p.at) }, ago(p.at)) },
            { title: '', label: t('prof.forget'), end: true, cell: p => h('button', { type: 'button', class: 'small', onclick: async () => { await forget(p.id); list = await kept(); drawHistory() } }, t('prof.forget')) }
          ]
        }))
  }

  page(main, t('nav.profiles'), t('prof.lead'), form, said, result, history)
  drawHistory()
  if (list.length) show(list[0])
  return () => {
    if (abort) abort.abort()
    if (graph) graph.end()
  }
}
