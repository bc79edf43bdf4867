// Every key: its value, where it comes from, what a change needs. Tokens, for
// who may see them.
import { h, fill, field, choice } from './dom.js'
import { t, time } from './i18n.js'
import { ask } from './api.js'
import { badge, grid, page, trouble } from './parts.js'

const NEEDS = { live: 'good', reload: 'busy', restart: '' }
const second = s => s ? time(s * 1000) : '–'

async function tokens() {
  try {
    const { items } = await ask('/api/tokens')
    return [h('h2', {}, t('conf.tokens')), grid({
      label: t('conf.tokens'), rows: items, columns: [
        { title: t('thing.name'), cell: k => [k.name, ' ', k.expired ? badge(t('conf.expired'), 'bad') : null] },
        { title: t('conf.scope'), cell: k => [badge(k.scope), k.secrets ? [' ', badge(t('conf.secrets'), 'warn')] : null] },
        { title: t('conf.made'), cell: k => second(k.created_s) },
        { title: t('conf.used'), cell: k => second(k.used_s) },
        { title: t('conf.ends'), cell: k => second(k.expires_s) }]
    })]
  } catch (e) { return trouble(e) }
}

export default async function (main, rest, me) {
  const { items } = await ask('/api/config')
  const table = h('div')
  let search = ''
  let which = ''
  const draw = () => fill(table, grid({
    label: t('nav.configuration'),
    rows: items.filter(k => (k.name + k.doc).toLowerCase().includes(search) && (!which || k.from !== 'default')),
    columns: [
      { title: t('conf.key'), cell: k => [h('code', {}, k.name), h('p', { class: 'hint' }, k.doc)] },
      { title: t('conf.value'), wide: true, cell: k => k.value === '' ? h('span', { class: 'kind' }, t('conf.empty')) : h('code', {}, k.value) },
      { title: t('conf.from'), cell: k => k.from === 'default' ? t('conf.from.default') : badge(t(`conf.from.${k.from}`, { line: k.line }), 'busy') },
      { title: t('conf.needs'), cell: k => badge(t(`conf.needs.${k.needs in NEEDS ? k.needs : 'both'}`), k.needs in NEEDS ? NEEDS[k.needs] : 'busy') }]
  }))
  draw()
  page(main, t('nav.configuration'), t('conf.lead'),
    me.rights.includes('admin') ? await tokens() : null,
    h('h2', {}, t('conf.keys')),
    h('div', { class: 'row' },
      field(t('list.search'), h('input', { type: 'search', oninput: e => { search = e.target.value.trim().toLowerCase(); draw() } })),
      field(t('conf.show'), choice([['', t('list.all')], ['set', t('conf.set')]], '', v => { which = v; draw() }))), table)
}
