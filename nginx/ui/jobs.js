// Jobs of all dialects: what they do, what they wait for; one with its steps.
import { h, fill, choice, field } from './dom.js'
import { t, ago, time } from './i18n.js'
import { send, watch } from './api.js'
import { pages } from './list.js'
import { badge, facts, grid, json, page, sure, trouble } from './parts.js'

const KIND = { done: 'good', failed: 'bad', cancelled: 'warn', undoing: 'warn', running: 'busy', queued: '' }
const OPEN = ['queued', 'running', 'undoing']
const state = s => badge(t(`job.${s}`), KIND[s])
const link = (id, text) => h('a', { href: `#/jobs/${id}` }, text === undefined ? String(id) : text)
const moment = ms => ms ? h('span', { title: ago(ms) }, time(ms)) : '–'
function doing(j) {
  const now = OPEN.includes(j.state) || j.state === 'failed' ? j.error || j.progress || j.doing : ''
  return j.waits_for ? [now, ' ', t('job.waits'), ' ', link(j.waits_for)] : now || '–'
}

const columns = () => [
  { title: t('job.kind'), cell: j => link(j.id, j.kind) },
  { title: t('thing.state'), cell: j => [state(j.state), j.cancel && OPEN.includes(j.state) ? [' ', badge(t('job.cancelling'), 'warn')] : null] },
  { title: t('job.step'), end: true, cell: j => j.steps ? `${j.step} / ${j.steps}` : '–' },
  { title: t('job.doing'), wide: true, cell: doing },
  { title: t('job.machine'), cell: j => j.machine || '–' },
  { title: t('job.by'), cell: j => j.token || '–' },
  { title: t('job.created'), cell: j => h('span', { title: time(j.created_ms) }, ago(j.created_ms)) }
]

function one(main, id, me) {
  const said = h('div', { 'aria-live': 'polite' })
  const body = h('div', { class: 'stack' })
  page(main, t('job.one', { id }), null, h('p', {}, h('a', { href: '#/jobs' }, t('job.back'))), said, body)
  async function cancel(j) {
    if (!await sure(t('job.sure', { kind: j.kind, id }), t('job.cancel'))) return
    try {
      await send(`/api/jobs/${id}/cancel`)
      end.now()
    } catch (e) { fill(said, trouble(e)) }
  }
  const end = watch(`/api/jobs/${encodeURIComponent(id)}`, j => {
    fill(said)
    fill(body,
      h('section', { class: 'card stack' },
        h('div', { class: 'row spread' }, h('h2', {}, j.kind, ' ', state(j.state)),
          me.rights.includes('write') && OPEN.includes(j.state) && !j.cancel
            ? h('button', { type: 'button', class: 'danger', onclick: () => cancel(j) }, t('job.cancel')) : null),
        j.error ? h('p', { class: 'notice bad' }, j.error) : null,
        facts([[t('thing.dialect'), j.dialect], [t('job.client'), j.client_id], [t('job.machine'), j.machine], [t('job.by'), j.token],
          [t('job.step'), j.steps ? `${j.step} / ${j.steps}` : ''], [t('job.doing'), OPEN.includes(j.state) ? doing(j) : ''],
          [t('job.parent'), j.parent_id ? link(j.parent_id) : ''], [t('job.owner'), j.owner], [t('job.tries'), j.tries],
          [t('job.created'), time(j.created_ms)], [t('job.begun'), j.begun_ms ? time(j.begun_ms) : ''], [t('job.finished'), j.finished_ms ? time(j.finished_ms) : ''],
          [t('audit.request'), j.request_id ? h('a', { href: `#/audit/request/${j.request_id}` }, j.request_id) : ''],
          [t('audit.client'), j.client_request_id], [t('audit.trace'), j.trace_id]])),
      h('h2', {}, t('job.steps')),
      grid({
        label: t('job.steps'), rows: j.done, empty: t('job.nosteps'), columns: [
          { title: t('thing.name'), cell: s => `${s.n + 1}. ${s.name}` },
          { title: t('job.outcome'), cell: s => s.outcome ? badge(s.outcome, KIND[s.outcome]) : badge(t('job.running'), 'busy') },
          { title: t('job.doing'), wide: true, cell: s => s.text || '–' },
          { title: t('job.begun'), cell: s => moment(s.begun_ms) },
          { title: t('job.finished'), cell: s => moment(s.ended_ms) }]
      }),
      j.parts.length ? [h('h2', {}, t('job.parts')), grid({ label: t('job.parts'), rows: j.parts, columns: columns() })] : null,
      j.args ? [h('h2', {}, t('job.args')), json(j.args)] : null,
      j.result ? [h('h2', {}, t('job.result')), json(j.result)] : null)
  }, e => fill(said, trouble(e)), 2000)
  return () => end()
}

export default function (main, [which = ''], me) {
  if (/^\d+$/.test(which)) return one(main, which, me)
  let wanted = which
  let whole = '0' // without those that are a part of another
  const list = pages({ path: '/api/jobs', query: () => ({ state: wanted, parent: whole }), columns: columns(), label: t('nav.jobs'), empty: t('job.none'), every: 3000 })
  const states = ['', 'open', 'queued', 'running', 'undoing', 'done', 'failed', 'cancelled']
  page(main, t('nav.jobs'), t('job.lead'),
    h('div', { class: 'row' }, field(t('thing.state'), choice(states.map(s => [s, s ? t(`job.${s}`) : t('list.all')]), wanted, v => { wanted = v; list.again() })),
      field(t('job.show'), choice([['0', t('job.wholes')], ['', t('job.withparts')]], whole, v => { whole = v; list.again() }))),
    list.node)
  return list.end
}
