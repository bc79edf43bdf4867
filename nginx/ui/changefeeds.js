// Changefeeds with how far behind they are.
import { h } from './dom.js'
import { t, time, number } from './i18n.js'
import { pages } from './list.js'
import { badge, json, page } from './parts.js'

const KIND = { normal: 'good' }
const LEVELS = { ok: '', warn: 'warn', bad: 'bad' } // stopped or finished: as somebody wants it

function lag(ms) {
  if (ms === null || ms === undefined) return '–'
  return badge(t('prof.seconds', { n: number(ms / 1000, 1) }), ms > 60000 ? 'bad' : ms > 10000 ? 'warn' : 'good')
}

export default function (main) {
  const list = pages({
    path: '/api/changefeeds', label: t('nav.changefeeds'), empty: t('feed.none'), every: 2000, columns: [
      { title: t('thing.name'), cell: f => f.name },
      { title: t('thing.state'), cell: f => badge(f.state, LEVELS[f.level] || KIND[f.state]) },
      { title: t('feed.lag'), end: true, cell: f => lag(f.more.lag_ms) },
      { title: t('feed.checkpoint'), cell: f => time(f.more.checkpoint_ms) },
      { title: t('feed.tables'), end: true, cell: f => h('a', { href: '#/topology/ticdc' }, number(f.more.tables)) },
      { title: t('thing.why'), wide: true, cell: f => f.why || '–' },
      { title: t('feed.all'), cell: f => h('details', {}, h('summary', {}, t('feed.show')), json(f.more)) }]
  })
  page(main, t('nav.changefeeds'), t('feed.lead'), list.node)
  return list.end
}
