// Pieces that pages are made of.
import { h, fill } from './dom.js'
import { t, has } from './i18n.js'

// The head of a page and what is below it.
export function page(main, title, lead, ...rest) {
  document.title = `${title} · metagate`
  fill(main, h('h1', { tabindex: -1 }, title), lead ? h('p', { class: 'lead' }, lead) : null, rest)
}

// What was refused, as a sentence.
export function trouble(e) {
  const words = {
    0: t('error.unreachable'), 403: t('error.denied'), 429: t('error.many'),
    503: e.word === 'store_down' ? t('error.store') : ''
  }
  return h('p', { class: 'notice bad', role: 'alert' }, words[e.status] || '', words[e.status] ? ' ' : '', e.message)
}

export const badge = (word, kind = '') => h('span', { class: `badge ${kind}` }, word)

const LEVELS = { ok: 'good', warn: 'warn', bad: 'bad' }
export const level = l => badge(t(`level.${l}`), LEVELS[l])

// What a dialect calls a kind of thing, in the reader's language where there is
// a word for it.
export const kindName = kind => has(`kind.${kind}`) ? t(`kind.${kind}`) : kind

// A thing of the topology, by its name.
export const thingLink = i => h('a', { href: `#/topology/${i.dialect}/${i.id}` }, i.name || i.id)

// A text; what stands between `these` is to be typed, or a name of a file.
export const rich = text => text.split('`').map((s, i) => i % 2 ? h('code', {}, s) : s)

// A table. columns: { title, cell(row), key?, end?, wide?, label? }: numbers at
// the end of their cell, a long text in a wide one.
export function grid({ label, columns, rows, empty, sortable = false }) {
  let by = null
  let down = true
  const body = h('tbody')
  const draw = () => {
    const sorted = by === null ? rows : [...rows].sort((a, b) => {
      const [x, y] = [a[by], b[by]]
      return (x < y ? -1 : x > y ? 1 : 0) * (down ? -1 : 1)
    })
    fill(body, sorted.map(r => h('tr', {}, columns.map((c, i) => {
      const shown = c.cell(r)
      const looks = [c.end ? 'end' : '', c.wide ? 'wide' : '', shown === '–' ? 'none' : ''].join(' ').trim()
      return h(i === 0 ? 'th' : 'td', { scope: i === 0 ? 'row' : null, class: looks || null, 'data-title': c.title || null }, shown)
    }))))
  }
  const heads = columns.map(c => {
    const th = h('th', { scope: 'col', class: c.end ? 'end' : null })
    if (sortable && c.key) {
      th.append(h('button', {
        type: 'button', class: 'sort', onclick: () => {
          down = by === c.key ? !down : c.key !== 'name'
          by = c.key
          for (const other of heads) other.removeAttribute('aria-sort')
          th.setAttribute('aria-sort', down ? 'descending' : 'ascending')
          draw()
        }
      }, c.title))
    } else if (c.title) th.append(c.title)
    else th.append(h('span', { class: 'unseen' }, c.label || ''))
    return th
  })
  draw()
  return h('div', { class: 'table', tabindex: 0, role: 'group', 'aria-label': label },
    h('table', {}, h('caption', { class: 'unseen' }, label), h('thead', {}, h('tr', {}, heads)), body),
    rows.length === 0 ? h('p', { class: 'empty' }, empty || t('table.empty')) : null)
}

// Members of an object beside their names.
export function facts(pairs) {
  return h('dl', { class: 'facts' }, pairs.filter(([, v]) => v !== undefined && v !== null && v !== '')
    .map(([name, v]) => [h('dt', {}, name), h('dd', {}, v)]))
}

export function json(value) {
  return h('pre', { class: 'json', tabindex: 0, role: 'group', 'aria-label': 'JSON' },
    typeof value === 'string' ? value : JSON.stringify(value, null, 2))
}

// Asks before something is done; what: the sentence. Resolves to yes or no.
export function sure(what, word) {
  return new Promise(done => {
    const box = h('dialog', { 'aria-label': what, onclose: () => { done(box.returnValue === 'yes'); box.remove() } },
      h('form', { method: 'dialog' }, h('p', {}, what),
        h('div', { class: 'row end' }, h('button', { value: 'no' }, t('sure.no')),
          h('button', { value: 'yes', class: 'danger' }, word))))
    document.body.append(box)
    box.showModal()
  })
}
