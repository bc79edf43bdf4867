// The last profiles, in this browser alone.

const KEEP = 20

function open() {
  return new Promise((done, fail) => {
    const r = indexedDB.open('metagate', 1)
    r.onupgradeneeded = () => r.result.createObjectStore('profiles', { keyPath: 'id', autoIncrement: true })
    r.onsuccess = () => done(r.result)
    r.onerror = () => fail(r.error)
  })
}

async function within(mode, work) {
  const db = await open()
  try {
    return await new Promise((done, fail) => {
      const tx = db.transaction('profiles', mode)
      const r = work(tx.objectStore('profiles'))
      tx.oncomplete = () => done(r && r.result)
      tx.onerror = () => fail(tx.error)
      tx.onabort = () => fail(tx.error)
    })
  } finally {
    db.close()
  }
}

// The newest first; [] where a browser keeps nothing.
export async function kept() {
  try {
    return (await within('readonly', s => s.getAll())).reverse()
  } catch {
    return []
  }
}

// Adds one and forgets the oldest; its id.
export async function keep(profile) {
  try {
    const id = await within('readwrite', s => s.add(profile))
    const all = await within('readonly', s => s.getAllKeys())
    for (const old of all.slice(0, Math.max(0, all.length - KEEP)))
      await within('readwrite', s => s.delete(old))
    return id
  } catch {
    return 0
  }
}

export async function forget(id) {
  try {
    await within('readwrite', s => s.delete(id))
  } catch { /* it is not kept */ }
}
