// Elements made by calls. No text ever becomes markup.

const SVG = 'http://www.w3.org/2000/svg'

function add(to, kid) {
  if (Array.isArray(kid)) for (const k of kid) add(to, k)
  else if (kid instanceof Node) to.append(kid)
  else if (kid !== null && kid !== undefined && kid !== false) to.append(String(kid))
}

function make(node, props, kids) {
  for (const [name, value] of Object.entries(props || {})) {
    if (value === null || value === undefined || value === false) continue
    if (name.startsWith('on')) node.addEventListener(name.slice(2), value)
    else if (name === 'value' || name === 'checked' || name === 'selected') node[name] = value
    else node.setAttribute(name, value === true ? '' : value)
  }
  add(node, kids)
  return node
}

// h('p', { class: 'note', onclick: f }, 'text', node, [nodes])
export function h(tag, props, ...kids) {
  return make(document.createElement(tag), props, kids)
}

export function svg(tag, props, ...kids) {
  return make(document.createElementNS(SVG, tag), props, kids)
}

export function fill(node, ...kids) {
  node.replaceChildren()
  add(node, kids)
  return node
}

let numbers = 0
export function uid(word) {
  return `${word}-${++numbers}`
}

// A label above what it is of.
export function field(label, control, extra) {
  control.id = control.id || uid('field')
  return h('div', { class: 'field' }, h('label', { for: control.id }, label), control, extra)
}

export function choice(options, value, onchange) {
  return h('select', { onchange: e => onchange && onchange(e.target.value) },
    options.map(([v, text]) => h('option', { value: v, selected: v === value }, text)))
}

// Gives a file to the browser's downloads.
export function download(name, type, ...parts) {
  const url = URL.createObjectURL(new Blob(parts, { type }))
  const a = h('a', { href: url, download: name })
  document.body.append(a)
  a.click()
  a.remove()
  setTimeout(() => URL.revokeObjectURL(url), 10000)
}
