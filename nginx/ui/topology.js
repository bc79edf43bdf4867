// What lies below what: instances, clusters, nodes, tables. Each dialect is a
// list of its own, so that a large one hides no other.
import { h, fill, choice, field } from './dom.js'
import { t, ago, number, time } from './i18n.js'
import { ask, watch } from './api.js'
import { facts, json, kindName, page, trouble, level, badge } from './parts.js'

const PAGE = 1000
const MANY = 20 // below one thing: they are shown when somebody opens it

export default function (main, [dialect = '', ...rest], me) {
  const said = h('div', { 'aria-live': 'polite' })
  const tree = h('div', { class: 'card tree' })
  const detail = h('section', { class: 'card detail', 'aria-label': t('topology.detail'), 'aria-live': 'polite', hidden: true })
  const toggled = new Set() // opened or closed by hand
  const failed = e => fill(said, trouble(e))
  const all = me.in_topology
  let wanted = rest.join('/')
  let health = ''
  let search = ''
  let families = []

  function look(thing) {
    detail.hidden = false
    fill(detail, h('div', { class: 'row spread' }, h('h2', {}, thing.name || thing.id), level(thing.level)),
      facts([['id', h('code', {}, thing.id)], [t('thing.kind'), `${thing.dialect} ${kindName(thing.kind)}`],
        [t('thing.address'), thing.address], [t('thing.state'), thing.state], [t('thing.why'), thing.why],
        [t('thing.since'), thing.since_ms ? `${time(thing.since_ms)} (${ago(thing.since_ms)})` : '']]),
      thing.more ? json(thing.more) : null)
  }

  // One dialect: its things, those behind the first page when somebody has
  // asked for them, and its part of the tree.
  function family(name) {
    const list = h('ul')
    const more = h('button', { type: 'button', hidden: true, onclick: next }, t('list.more'))
    const node = h('section', { 'aria-label': name, hidden: true }, h('h2', {}, name), list, more)
    const items = new Map()
    let cursor = ''
    let following = false

    const query = extra => `/api/topology?${new URLSearchParams({ limit: PAGE, dialect: name, ...(health ? { level: health } : {}), ...extra })}`

    // What is shown: things whose parent is shown too, or that lie below none.
    function draw() {
      const below = new Map([['', []]])
      for (const i of items.values()) {
        const at = i.parent && items.has(i.parent) ? i.parent : ''
        if (!below.has(at)) below.set(at, [])
        below.get(at).push(i)
      }
      const kids = i => below.get(i.id) || []
      const hit = i => (i.name + i.id + (i.address || '')).toLowerCase().includes(search)
      const kept = i => hit(i) || kids(i).some(kept)
      const isOpen = (i, shown) => search ? shown.length > 0
        : toggled.has(i.id) !== (!items.has(i.parent) && shown.length <= MANY)
      const branch = i => {
        const shown = search ? kids(i).filter(kept) : kids(i)
        const open = isOpen(i, shown)
        return h('li', {},
          h('div', { class: 'thing' },
            shown.length ? h('button', {
              type: 'button', class: 'twist', 'aria-expanded': String(open), 'aria-label': t('topology.open', { name: i.name || i.id }),
              onclick: () => { toggled[toggled.has(i.id) ? 'delete' : 'add'](i.id); draw() }
            }, open ? '▾' : '▸') : h('span', { class: 'twist' }),
            h('button', { type: 'button', class: 'link', onclick: () => look(i) }, i.name || i.id),
            h('span', { class: 'kind' }, kindName(i.kind)),
            i.level === 'ok' ? badge(i.state || t('level.ok')) : [level(i.level), h('span', {}, i.why || i.state)],
            i.address && i.address !== i.name ? h('span', { class: 'kind mono' }, i.address) : null,
            shown.length && !open ? h('span', { class: 'kind' }, t('topology.below', { n: number(shown.length) + (cursor ? '+' : '') })) : null),
          open && shown.length ? h('ul', {}, shown.map(branch)) : null)
      }
      const called = b => b.getAttribute('aria-label') || b.textContent
      const focus = list.contains(document.activeElement) ? called(document.activeElement) : null
      const roots = below.get('').filter(i => !search || kept(i))
      fill(list, roots.map(branch))
      node.hidden = !roots.length
      nothing.hidden = families.some(f => !f.node.hidden)
      if (focus !== null) {
        const again = [...list.querySelectorAll('button')].find(b => called(b) === focus)
        if (again) again.focus()
      }
    }

    function take(data, fresh) {
      fill(said)
      if (fresh) items.clear()
      for (const i of data.items) items.set(i.id, i)
      cursor = data.next || ''
      more.hidden = !cursor
      draw()
      if (wanted && items.has(wanted)) {
        look(items.get(wanted))
        wanted = ''
      }
    }

    async function next() {
      following = true // what has been asked for stays, and is not asked again
      try {
        take(await ask(query({ cursor })), false)
      } catch (e) { failed(e) }
    }
    const end = watch(() => query({}), d => { if (!following) take(d, true) }, failed, 5000)
    return { node, draw, end, again() { following = false; end.now() } }
  }

  const nothing = h('p', { class: 'empty', hidden: true }, t('table.empty'))
  function begin() {
    for (const f of families) f.end()
    families = []
    families = (dialect ? [dialect] : all).map(family)
    fill(tree, families.map(f => f.node), nothing)
  }

  page(main, t('nav.topology'), t('topology.lead'),
    h('div', { class: 'row' },
      field(t('thing.dialect'), choice([['', t('list.all')], ...all.map(d => [d, d])], dialect, v => { dialect = v; begin() })),
      field(t('thing.level'), choice([['', t('list.all')], ['bad', t('level.bad')], ['warn', t('level.warn')], ['ok', t('level.ok')]], '', v => { health = v; for (const f of families) f.again() })),
      field(t('list.search'), h('input', { type: 'search', oninput: e => { search = e.target.value.trim().toLowerCase(); for (const f of families) f.draw() } }))),
    said, h('div', { class: 'split' }, tree, detail))
  begin()
  return () => { for (const f of families) f.end() }
}
