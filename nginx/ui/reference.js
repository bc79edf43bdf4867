// Every endpoint of every dialect, from the API's own description. Reads of
// this listener can be tried; of the others there is a command line.
import { h, fill, field, choice } from './dom.js'
import { t } from './i18n.js'
import { ask, fetchOf } from './api.js'
import { badge, facts, grid, json, page, trouble } from './parts.js'

const VERBS = ['get', 'post', 'put', 'patch', 'delete']

// Operations as a list, those of this host's own listener first.
function operations(doc) {
  const list = []
  for (const [path, methods] of Object.entries(doc.paths))
    for (const verb of VERBS)
      if (methods[verb]) list.push({ path, verb, ...methods[verb] })
  return list
}

const sent = path => path.split('#')[0]

function schemaOf(doc, s, depth = 0) {
  if (!s || depth > 4) return s
  if (s.$ref) return schemaOf(doc, doc.components.schemas[s.$ref.split('/').pop()], depth + 1)
  if (s.allOf) return Object.assign({}, ...s.allOf.map(x => schemaOf(doc, x, depth + 1)), { properties: Object.assign({}, ...s.allOf.map(x => (schemaOf(doc, x, depth + 1) || {}).properties || {})) })
  return s
}

function members(doc, schema, label) {
  const s = schemaOf(doc, schema)
  const rows = Object.entries((s && s.properties) || {}).map(([name, p]) => ({ name, ...(schemaOf(doc, p) || {}), need: (s.required || []).includes(name) }))
  return rows.length ? grid({
    label, rows, columns: [
      { title: t('api.member'), cell: r => [h('code', {}, r.name), r.need ? [' ', badge(t('api.needed'), 'warn')] : null] },
      { title: t('api.type'), cell: r => r.type || '–' },
      { title: t('api.about'), cell: r => r.description || (r.enum ? r.enum.join(', ') : '–') }]
  }) : null
}

function commandOf(op) {
  const url = `${op.servers?.[0]?.url || location.origin}${sent(op.path)}`
  const body = op.requestBody ? " \\\n  -d '{…}'" : ''
  return `curl -K RUN_DIR/curlrc${op.verb === 'get' || (op.verb === 'post' && body) ? '' : ` -X ${op.verb.toUpperCase()}`} '${url}'${body}`
}

function trial(op) {
  const boxes = (op.parameters || []).filter(p => p.in === 'path' || p.in === 'query')
    .map(p => ({ p, box: h('input', { type: 'text', required: p.in === 'path', spellcheck: 'false' }) }))
  const out = h('div', { 'aria-live': 'polite', class: 'stack' })
  return h('div', { class: 'stack' }, h('form', {
    class: 'row', onsubmit: async e => {
      e.preventDefault()
      let path = sent(op.path)
      const q = new URLSearchParams()
      for (const { p, box } of boxes) {
        if (p.in === 'path') path = path.replace(`{${p.name}}`, encodeURIComponent(box.value))
        else if (box.value) q.set(p.name, box.value)
      }
      try {
        const reply = await fetchOf(q.size ? `${path}?${q}` : path)
        const text = await reply.text()
        let shown = text
        try { shown = JSON.parse(text) } catch { /* it is text */ }
        fill(out, h('p', {}, badge(String(reply.status), 'good'), ' ', h('span', { class: 'mono' }, q.size ? `${path}?${q}` : path)),
          json(typeof shown === 'string' ? shown.slice(0, 200000) : shown))
      } catch (e) { fill(out, h('p', {}, badge(String(e.status), 'bad')), trouble(e)) }
    }
  }, boxes.map(({ p, box }) => field(p.name, box)), h('button', { class: 'primary', type: 'submit' }, t('api.try'))), out)
}

function detail(doc, op, me) {
  const body = op.requestBody?.content?.['application/json']?.schema
  const good = Object.entries(op.responses || {}).find(([status]) => status.startsWith('2'))
  const reply = good && good[1].content?.['application/json']?.schema
  const own = op['x-listener'] === 'console'
  const allowed = op['x-scope'] === 'none' || me.rights.includes(op['x-scope'])
  return h('div', { class: 'stack' },
    facts([[t('api.listener'), op['x-listener']], [t('conf.scope'), op['x-scope']], ['operationId', h('code', {}, op.operationId)]]),
    members(doc, body, t('api.body')), members(doc, reply, t('api.reply')),
    own && op.verb === 'get' && allowed ? trial(op) : json(commandOf(op)))
}

export default async function (main, rest, me) {
  const doc = await ask('/openapi.json')
  const all = operations(doc)
  const list = h('div', { class: 'stack' })
  const count = h('p', { class: 'kind aside', 'aria-live': 'polite' })
  let search = ''
  let of = ''
  const groupOf = o => o.tags?.[0] || o['x-listener']
  const draw = () => {
    const hits = all.filter(o => (!of || groupOf(o) === of) && `${o.verb} ${o.path} ${o.summary} ${o['x-listener']}`.toLowerCase().includes(search))
    count.textContent = t('api.count', { n: hits.length })
    const groups = [...new Set(hits.map(groupOf))]
    fill(list, groups.map(g => h('section', { class: 'card' }, h('h2', {}, g),
      hits.filter(o => groupOf(o) === g).map(o => {
        const box = h('details', { class: 'operation', ontoggle: e => { if (e.target === box && box.open && box.children.length < 2) box.append(detail(doc, o, me)) } },
          h('summary', {}, h('span', { class: `verb ${o.verb}` }, o.verb.toUpperCase()), ' ', h('code', {}, o.path), ' ', h('span', { class: 'kind' }, o.summary)))
        return box
      }))))
  }
  draw()
  page(main, t('nav.api'), t('api.lead'),
    h('div', { class: 'row' },
      field(t('thing.dialect'), choice([['', t('list.all')], ...[...new Set(all.map(groupOf))].map(g => [g, g])], '', v => { of = v; draw() })),
      field(t('list.search'), h('input', { type: 'search', oninput: e => { search = e.target.value.trim().toLowerCase(); draw() } })), count), list)
}
