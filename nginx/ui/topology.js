// What lies below what: instances, clusters, nodes, tables. A branch is asked
// for when it is opened, and again while it is open.
import { h, fill, choice, field } from './dom.js'
import { t, ago, time } from './i18n.js'
import { ask, watch } from './api.js'
import { facts, json, page, trouble, level, badge } from './parts.js'

const PAGE = 1000

export default function (main, [dialect = '', ...rest], me) {
  const said = h('div', { 'aria-live': 'polite' })
  const list = h('ul', { class: 'tree' })
  const detail = h('section', { class: 'card detail', 'aria-label': t('topology.detail'), 'aria-live': 'polite', hidden: true })
  const more = h('button', { type: 'button', hidden: true, onclick: next }, t('list.more'))
  const opened = new Set()
  const items = new Map()
  const wanted = rest.join('/')
  let worst = ''
  let cursor = ''
  let following = false
  let search = ''

  const queryOf = extra => {
    const q = new URLSearchParams({ limit: PAGE, ...(dialect ? { dialect } : {}), ...(worst ? { level: worst } : {}), ...extra })
    return `/api/topology?${q}`
  }

  function look(thing) {
    detail.hidden = false
    fill(detail, h('div', { class: 'row spread' }, h('h2', {}, thing.name || thing.id), level(thing.level)),
      facts([['id', h('code', {}, thing.id)], [t('thing.kind'), `${thing.dialect} ${thing.kind}`],
        [t('thing.address'), thing.address], [t('thing.state'), thing.state], [t('thing.why'), thing.why],
        [t('thing.since'), thing.since_ms ? `${time(thing.since_ms)} (${ago(thing.since_ms)})` : '']]),
      thing.more ? json(thing.more) : null)
  }

  // What is shown: things whose parent is shown too, or that lie below none.
  function draw() {
    const all = [...items.values()]
    const below = new Map()
    for (const i of all) {
      const at = i.parent && items.has(i.parent) ? i.parent : ''
      below.set(at, [...(below.get(at) || []), i])
    }
    const hit = i => (i.name + i.id + (i.address || '')).toLowerCase().includes(search)
    const kept = i => hit(i) || (below.get(i.id) || []).some(kept)
    const branch = i => {
      const kids = (below.get(i.id) || []).filter(k => !search || kept(k))
      const open = opened.has(i.id) || (search && kids.length > 0)
      return h('li', {},
        h('div', { class: 'thing' },
          kids.length ? h('button', {
            type: 'button', class: 'twist', 'aria-expanded': String(!!open), 'aria-label': t('topology.open', { name: i.name || i.id }),
            onclick: () => { opened[opened.has(i.id) ? 'delete' : 'add'](i.id); draw() }
          }, open ? '▾' : '▸') : h('span', { class: 'twist' }),
          h('button', { type: 'button', class: 'link', onclick: () => look(i) }, i.name || i.id),
          h('span', { class: 'kind' }, i.kind), i.level === 'ok' ? badge(i.state || t('level.ok')) : [level(i.level), h('span', {}, i.why || i.state)],
          i.address && i.address !== i.name ? h('span', { class: 'kind mono' }, i.address) : null,
          kids.length && !open ? h('span', { class: 'kind' }, t('topology.below', { n: kids.length })) : null),
        open && kids.length ? h('ul', {}, kids.map(branch)) : null)
    }
    const roots = (below.get('') || []).filter(i => !search || kept(i))
    const families = [...new Set(roots.map(i => i.dialect))]
    const focus = document.activeElement && document.activeElement.closest('.tree') ? document.activeElement.getAttribute('aria-label') || document.activeElement.textContent : null
    fill(list, families.map(f => h('li', {}, h('h2', {}, f), h('ul', {}, roots.filter(i => i.dialect === f).map(branch)))))
    if (!roots.length) fill(list, h('li', { class: 'empty' }, t('table.empty')))
    if (focus !== null) {
      const again = [...list.querySelectorAll('button')].find(b => (b.getAttribute('aria-label') || b.textContent) === focus)
      if (again) again.focus()
    }
  }

  function take(data, fresh) {
    fill(said)
    if (fresh) items.clear()
    for (const i of data.items) {
      if (!items.has(i.id) && !opened.size && !i.parent) opened.add(i.id)
      items.set(i.id, i)
    }
    cursor = data.next || ''
    more.hidden = !cursor
    draw()
    if (wanted && items.has(wanted) && detail.hidden) look(items.get(wanted))
  }

  const end = watch(() => queryOf({}), d => { if (!following) take(d, true) }, e => fill(said, trouble(e)), 5000)
  async function next() {
    following = true // what has been asked for stays, and is not asked again
    try {
      take(await ask(queryOf({ cursor })), false)
    } catch (e) { fill(said, trouble(e)) }
  }
  const again = () => { following = false; opened.clear(); end.now() }
  const box = h('input', { type: 'search', oninput: e => { search = e.target.value.trim().toLowerCase(); draw() } })
  const of = me.dialects.filter(d => !['console', 'doris-fe', 'node_mgr'].includes(d))

  page(main, t('nav.topology'), t('topology.lead'),
    h('div', { class: 'row' },
      field(t('thing.dialect'), choice([['', t('list.all')], ...of.map(d => [d, d])], dialect, v => { dialect = v; again() })),
      field(t('thing.level'), choice([['', t('list.all')], ['bad', t('level.bad')], ['warn', t('level.warn')], ['ok', t('level.ok')]], '', v => { worst = v; again() })),
      field(t('list.search'), box)),
    said, h('div', { class: 'split' }, h('div', { class: 'card' }, list, more), detail))
  return () => end()
}
