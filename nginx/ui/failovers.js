// Changes of primaries, and why.
import { h } from './dom.js'
import { t, ago, time } from './i18n.js'
import { pages } from './list.js'
import { json, level, page, badge } from './parts.js'

export default function (main) {
  const list = pages({
    path: '/api/failovers', label: t('nav.failovers'), empty: t('failover.none'), columns: [
      { title: t('thing.name'), cell: f => f.name || f.id },
      { title: t('thing.state'), cell: f => f.level === 'ok' ? badge(f.state, 'good') : [level(f.level), ' ', f.state] },
      { title: t('thing.why'), wide: true, cell: f => f.why || '–' },
      { title: t('failover.when'), cell: f => h('span', { title: time(f.since_ms) }, ago(f.since_ms)) },
      { title: t('failover.seen'), cell: f => f.more ? h('details', {}, h('summary', {}, t('failover.explain')), json(f.more)) : '–' }]
  })
  page(main, t('nav.failovers'), t('failover.lead'), list.node)
  return list.end
}
