// What each dialect holds, and what is not well, the worst first.
import { h, fill } from './dom.js'
import { t, ago, time, number } from './i18n.js'
import { watch } from './api.js'
import { badge, grid, kindName, page, trouble, level, thingLink } from './parts.js'

function dialect(d) {
  const held = d.holds.filter(k => k.n > 0)
  return h('section', { class: 'card', 'aria-label': d.dialect },
    h('div', { class: 'row spread' }, h('h2', {}, h('a', { href: `#/topology/${d.dialect}` }, d.dialect)), level(d.level)),
    held.length ? h('ul', { class: 'counts' }, held.map(k => h('li', {},
      kindName(k.kind), k.bad ? badge(t('overview.bad', { n: k.bad }), 'bad') : null,
      k.warn ? badge(t('overview.warn', { n: k.warn }), 'warn') : null, h('strong', {}, number(k.n)))))
      : h('p', { class: 'empty' }, t('overview.nothing')))
}

const number_ = (value, text, href, kind) => h('a', { class: `card figure ${kind || ''}`, href },
  h('strong', {}, number(value)), h('span', {}, text))

export default function (main) {
  const said = h('div', { 'aria-live': 'polite' })
  const whole = h('div', { class: 'stack' })
  const duties = h('section', { class: 'stack' })
  const hosts = h('section', { class: 'stack' })
  const failed = e => fill(said, trouble(e))
  page(main, t('nav.overview'), t('overview.lead'), said, whole, hosts, duties)
  const ends = [
    watch('/api/overview', o => {
      fill(said)
      fill(whole,
        h('div', { class: 'cards' },
          h('div', { class: 'card figure' }, h('strong', {}, level(o.level)), h('span', {}, t('overview.all'))),
          number_(o.not_well.length, t('overview.notwell'), '#/topology', o.not_well.length ? 'warn' : ''),
          number_(o.open_jobs, t('overview.open'), '#/jobs/open'),
          number_(o.failed_jobs, t('overview.failed'), '#/jobs/failed', o.failed_jobs ? 'bad' : '')),
        o.not_well.length ? [h('h2', {}, t('overview.notwell')), grid({
          label: t('overview.notwell'), rows: o.not_well, columns: [
            { title: t('thing.name'), cell: r => thingLink(r) },
            { title: t('thing.level'), cell: r => level(r.level) },
            { title: t('thing.kind'), cell: r => `${r.dialect} ${kindName(r.kind)}` },
            { title: t('thing.why'), wide: true, cell: r => r.why || r.state },
            { title: t('thing.since'), cell: r => h('span', { title: time(r.since_ms) }, ago(r.since_ms)) }]
        })] : null,
        h('h2', {}, t('overview.dialects')),
        h('div', { class: 'cards' }, o.dialects.map(dialect)))
    }, failed),
    watch('/api/duties', d => fill(duties, h('h2', {}, t('overview.duties')), h('div', { class: 'long' }, grid({
      label: t('overview.duties'), rows: d.items, columns: [
        { title: t('thing.name'), cell: r => r.name },
        { title: t('duty.leader'), cell: r => r.held ? r.leader : badge(t('duty.nobody')) },
        { title: t('duty.host'), cell: r => r.host || '–' },
        { title: t('thing.since'), cell: r => h('span', { title: time(r.since_ms) }, ago(r.since_ms)) },
        { title: t('duty.epoch'), end: true, cell: r => number(r.epoch) }]
    }))), failed),
    watch('/api/hosts', d => fill(hosts, h('h2', {}, t('overview.hosts')), grid({
      label: t('overview.hosts'), rows: d.items, columns: [
        { title: t('thing.name'), cell: r => [r.name, ' ', r.own ? badge(t('host.own'), 'busy') : null] },
        { title: t('host.version'), cell: r => r.version },
        { title: t('thing.since'), cell: r => h('span', { title: time(r.since_ms) }, ago(r.since_ms)) },
        { title: t('host.listen'), wide: true, cell: r => r.listen.split(' ').map(l => [h('span', { class: 'mono piece' }, l), ' ']) }]
    })), failed)
  ]
  return () => ends.forEach(end => end())
}
