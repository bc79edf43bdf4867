// Who has changed what; one change with what was before and after.
import { h, fill, field, download } from './dom.js'
import { t, ago, time } from './i18n.js'
import { ask, fetchOf } from './api.js'
import { pages } from './list.js'
import { diff } from './diff.js'
import { facts, json, page, trouble } from './parts.js'

const dayStart = text => text ? new Date(`${text}T00:00`).getTime() : ''

const called = id => id ? h('a', { href: `#/audit/request/${encodeURIComponent(id)}`, class: 'mono' }, id) : ''

async function one(main, id) {
  const r = await ask(`/api/audit/${encodeURIComponent(id)}`)
  page(main, t('audit.one', { id }), null,
    h('p', {}, h('a', { href: '#/audit' }, t('audit.back'))),
    h('section', { class: 'card' }, facts([[t('audit.when'), `${time(r.at_ms)} (${ago(r.at_ms)})`], [t('audit.who'), r.name],
      [t('audit.what'), r.operation], [t('audit.target'), r.target], [t('thing.dialect'), r.dialect], [t('audit.listener'), r.listener],
      [t('audit.request'), h('a', { href: `#/audit/request/${r.request_id}`, class: 'mono' }, r.request_id)],
      [t('audit.client'), called(r.client_request_id)], [t('audit.trace'), called(r.trace_id)]])),
    h('h2', {}, t('audit.change')),
    r.before || r.after ? diff(r.before, r.after) : h('p', { class: 'empty' }, t('audit.nodocs')),
    r.request ? [h('h2', {}, t('audit.asked')), json(r.request)] : null)
}

export default function (main, [which = '', value = '']) {
  if (/^\d+$/.test(which)) return one(main, which)
  const input = (name, type = 'search') => h('input', { type, name, value: which === 'request' && name === 'request_id' ? value : '' })
  const names = ['target', 'name', 'operation', 'dialect', 'request_id']
  const boxes = Object.fromEntries(names.map(n => [n, input(n)]))
  const since = input('since', 'date')
  const until = input('until', 'date')
  const query = () => ({
    ...Object.fromEntries(names.map(n => [n, boxes[n].value.trim()])),
    since: dayStart(since.value), until: until.value ? dayStart(until.value) + 86400000 : ''
  })
  const said = h('div', { 'aria-live': 'polite' })
  const list = pages({
    path: '/api/audit', query, label: t('nav.audit'), empty: t('audit.none'), columns: [
      { title: t('audit.what'), cell: r => h('a', { href: `#/audit/${r.id}` }, r.operation) },
      { title: t('audit.target'), cell: r => r.target || '–' },
      { title: t('audit.who'), cell: r => r.name || '–' },
      { title: t('thing.dialect'), cell: r => r.dialect || r.listener },
      { title: t('audit.when'), cell: r => h('span', { title: ago(r.at_ms) }, time(r.at_ms)) }]
  })
  let later = 0
  const changed = () => { clearTimeout(later); later = setTimeout(list.again, 250) }
  for (const b of [...Object.values(boxes), since, until]) b.addEventListener('input', changed)
  async function save() {
    try {
      const q = new URLSearchParams(Object.entries({ ...query(), limit: 1000 }).filter(([, v]) => v))
      const reply = await fetchOf(`/api/audit/export?${q}`)
      download('audit.ndjson', 'application/x-ndjson', await reply.text())
    } catch (e) { fill(said, trouble(e)) }
  }
  page(main, t('nav.audit'), t('audit.lead'),
    h('form', { class: 'card row', onsubmit: e => { e.preventDefault(); list.again() } },
      field(t('audit.target'), boxes.target), field(t('audit.who'), boxes.name), field(t('audit.what'), boxes.operation),
      field(t('thing.dialect'), boxes.dialect), field(t('audit.request'), boxes.request_id),
      field(t('audit.since'), since), field(t('audit.until'), until),
      h('button', { type: 'button', onclick: save }, t('audit.export'))),
    said, list.node)
  return () => { clearTimeout(later); list.end() }
}
