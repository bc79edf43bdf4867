// The shell: who asks, which page, in which language and light.
import { h, fill } from './dom.js'
import { ask, token, keepToken, onLost } from './api.js'
import { t, languages, languageNow, setLanguage } from './i18n.js'
import { rich, trouble } from './parts.js'
import { pages } from './pages.js'

const app = document.getElementById('app')
const THEME = 'metagate.theme'
let me = null
let leave = null
let turn = 0

function theme(now) {
  if (now) localStorage.setItem(THEME, now)
  const kept = localStorage.getItem(THEME) || 'auto'
  if (kept === 'auto') delete document.documentElement.dataset.theme
  else document.documentElement.dataset.theme = kept
  return kept
}
theme()

// A token of scope profile may ask for profiles, and not who it is.
async function whoAsks(as) {
  try {
    return await ask('/api/whoami', { as })
  } catch (e) {
    if (e.status === 403) return { name: '', rights: ['profile'], dialects: [], in_topology: [] }
    throw e
  }
}

export const may = right => me !== null && me.rights.includes(right)
const open = p => may(p.needs)

function choices() {
  const pick = (label, options, value, change) => h('select', {
    'aria-label': label, class: 'quiet', onchange: e => change(e.target.value)
  }, options.map(([v, text]) => h('option', { value: v, selected: v === value }, text)))
  return [
    pick(t('shell.language'), languages, languageNow(), v => { setLanguage(v); draw() }),
    pick(t('shell.theme'), [['auto', t('theme.auto')], ['light', t('theme.light')], ['dark', t('theme.dark')]], theme(), v => theme(v))
  ]
}

function login(why) {
  const text = h('input', { type: 'password', id: 'token', autocomplete: 'off', required: true, spellcheck: 'false', 'aria-describedby': 'hint' })
  const said = h('div', { 'aria-live': 'polite' }, why ? h('p', { class: 'notice' }, why) : null)
  const go = h('button', { class: 'primary', type: 'submit' }, t('login.go'))
  document.title = 'metagate'
  const form = h('form', {
    class: 'login card', onsubmit: async e => {
      e.preventDefault()
      go.disabled = true
      try {
        me = await whoAsks(text.value.trim())
        keepToken(text.value.trim())
        draw()
      } catch (e) {
        fill(said, e.status === 401 ? h('p', { class: 'notice bad', role: 'alert' }, t('login.unknown')) : trouble(e))
        go.disabled = false
        text.select()
      }
    }
  },
  h('h1', {}, h('img', { src: '/ui/icon.svg', alt: '', width: 28, height: 28 }), ' metagate'),
  h('p', { class: 'lead' }, t('login.lead')),
  h('div', { class: 'field' }, h('label', { for: 'token' }, t('login.token')), text),
  h('p', { class: 'hint', id: 'hint' }, rich(t('login.hint'))), said, go,
  h('div', { class: 'row' }, choices()))
  fill(app, h('main', { class: 'center' }, form))
  text.focus()
}

function out(why) {
  keepToken('')
  me = null
  if (leave) leave()
  leave = null
  turn++
  login(why)
}

const where = () => location.hash.replace(/^#\/?/, '').split('/').map(decodeURIComponent)

function frame() {
  const [at] = where()
  const links = pages.filter(open).map(p => h('a', {
    href: `#/${p.name}`, 'aria-current': p.name === at ? 'page' : null
  }, t(`nav.${p.name}`)))
  return [
    h('a', { class: 'skip', href: '#content', onclick: e => { e.preventDefault(); document.getElementById('content').focus() } }, t('shell.skip')),
    h('header', { class: 'side' },
      h('a', { class: 'brand', href: '#/' }, h('img', { src: '/ui/icon.svg', alt: '', width: 24, height: 24 }), 'metagate'),
      h('nav', { 'aria-label': t('shell.pages') }, links),
      h('div', { class: 'who' },
        h('p', {}, h('strong', {}, me.name || t('shell.token')), h('span', { class: 'rights' }, me.rights.join(', ') || '–'),
          me.version ? h('span', { class: 'rights' }, `metagate ${me.version}`) : null),
        h('div', { class: 'row' }, choices()),
        h('button', { type: 'button', onclick: () => out('') }, t('shell.out')))),
    h('main', { id: 'content', tabindex: -1 })
  ]
}

async function draw(focus = false) {
  const mine = ++turn
  if (leave) leave()
  leave = null
  if (!token() || !me) return login('')
  const [name, ...rest] = where()
  const page = pages.find(p => p.name === name && open(p))
  if (!page) {
    const first = pages.find(open)
    if (first) location.replace(`#/${first.name}`)
    else out(t('login.nothing'))
    return
  }
  fill(app, frame())
  const main = document.getElementById('content')
  const nav = app.querySelector('[aria-current=page]')
  if (nav) nav.scrollIntoView({ block: 'nearest', inline: 'center' })
  try {
    const end = await page.show(main, rest, me)
    if (mine !== turn) end && end()
    else leave = end || null
  } catch (e) {
    if (mine === turn && e.name !== 'AbortError') fill(main, h('h1', { tabindex: -1 }, t(`nav.${name}`)), trouble(e))
  }
  const head = main.querySelector('h1')
  if (focus && mine === turn && head) head.focus({ preventScroll: true })
  if (focus) window.scrollTo(0, 0)
}

onLost(() => out(t('login.lost')))
addEventListener('hashchange', () => draw(true))

async function begin() {
  if (!token()) return login('')
  try {
    me = await whoAsks(token())
  } catch (e) {
    if (e.status === 401) return
    fill(app, h('main', { class: 'center' }, h('div', { class: 'card' }, trouble(e),
      h('button', { type: 'button', onclick: begin }, t('error.again')),
      h('button', { type: 'button', onclick: () => out('') }, t('shell.out')))))
    return
  }
  draw()
}
begin()
