// A list of the API: filters, a table that is kept up to date, pages by cursor.
import { h, fill } from './dom.js'
import { t } from './i18n.js'
import { ask, watch } from './api.js'
import { grid, trouble } from './parts.js'

// query() is the filters as an object; columns and empty as grid's. Returns
// { node, again, end }.
export function pages({ path, query = () => ({}), columns, label, empty, every }) {
  const said = h('div', { 'aria-live': 'polite' })
  const table = h('div')
  const more = h('button', { type: 'button', hidden: true, onclick: next }, t('list.more'))
  let first = []
  let others = []
  let cursor = ''
  let asked = 0 // how often the filters have changed
  const at = extra => {
    const q = new URLSearchParams(Object.entries({ ...query(), ...extra }).filter(([, v]) => v))
    return q.size ? `${path}?${q}` : path
  }
  const draw = () => {
    const ids = new Set(first.map(i => i.id))
    const rows = [...first, ...others.filter(i => !ids.has(i.id))]
    const where = document.activeElement && table.contains(document.activeElement) ? document.activeElement.textContent : null
    fill(table, grid({ label, columns, rows, empty }))
    more.hidden = !cursor
    if (where) {
      const same = [...table.querySelectorAll('button, a')].find(e => e.textContent === where)
      if (same) same.focus()
    }
  }
  const end = watch(() => at({}), d => {
    fill(said)
    first = d.items
    if (!others.length) cursor = d.next || ''
    draw()
  }, e => fill(said, trouble(e)), every)

  async function next() {
    const mine = asked
    try {
      const d = await ask(at({ cursor }))
      if (mine !== asked) return // a page of what was looked for before
      others = [...others, ...d.items]
      cursor = d.next || ''
      draw()
    } catch (e) { fill(said, trouble(e)) }
  }
  return { node: h('div', { class: 'stack' }, said, table, h('div', {}, more)), again() { asked++; others = []; cursor = ''; end.now() }, end }
}
