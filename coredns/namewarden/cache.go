package namewarden

import (
	"hash/maphash"
	"sync"
	"sync/atomic"
	"time"
)

const shards = 64 // so that cores seldom wait for each other

// key is what two queries share that get the same verdict. The scope is the cache's to know.
type key struct {
	scope  string // of clients
	name   string
	qtype  uint16
	answer string // where the answer leads, "" for the name itself
}

// entry is a verdict and until when it holds.
type entry struct {
	verdict *verdict
	expires time.Time
	epoch   uint64
}

// cache keeps verdicts and the clients' scopes. Both end with their epoch: every change of policy begins another.
type cache struct {
	verdicts *table[key, entry]
	scopes   *table[string, scoped]
	epoch    atomic.Uint64
}

// scoped is a client's scope.
type scoped struct {
	scope string
	epoch uint64
}

// newCache makes a cache of size verdicts, and of as many clients.
func newCache(size int) *cache {
	seed := maphash.MakeSeed()
	return &cache{
		verdicts: newTable[key, entry](size, func(k key) uint64 { return maphash.String(seed, k.name) }),
		scopes:   newTable[string, scoped](size, func(client string) uint64 { return maphash.String(seed, client) }),
	}
}

// forget makes all that is kept be asked anew.
func (c *cache) forget() { c.epoch.Add(1) }

// scopeOf is the scope of a client, or the client itself while none is known.
func (c *cache) scopeOf(client string) string {
	if known, ok := c.scopes.get(client); ok && known.epoch == c.epoch.Load() {
		return known.scope
	}
	return client
}

// get is what is known at now for this client, nil when nothing is.
func (c *cache) get(k key, client string, now time.Time) *verdict {
	k.scope = c.scopeOf(client)
	kept, ok := c.verdicts.get(k)
	if !ok || kept.epoch != c.epoch.Load() || !now.Before(kept.expires) {
		return nil
	}
	return kept.verdict
}

// put keeps a verdict that was asked for in epoch. What is true of this client alone gets no scope.
func (c *cache) put(k key, client string, said *verdict, epoch uint64, now time.Time) {
	if said.Scope != "" {
		k.scope = said.Scope
		c.scopes.put(client, scoped{said.Scope, epoch})
	} else {
		k.scope = client
	}
	if said.TTL > 0 {
		c.verdicts.put(k, entry{said, now.Add(said.keptFor()), epoch})
	}
}

// size is how many verdicts are kept.
func (c *cache) size() int { return c.verdicts.size() }

// table is a map in shards that holds a bounded number of entries. Which one makes room is left to chance: then no
// order of asking can push out what others need.
type table[K comparable, V any] struct {
	shards [shards]shard[K, V]
	hash   func(K) uint64
	most   int // entries of one shard
}

type shard[K comparable, V any] struct {
	sync.RWMutex
	entries map[K]V
}

func newTable[K comparable, V any](size int, hash func(K) uint64) *table[K, V] {
	t := &table[K, V]{hash: hash, most: max(size/shards, 1)}
	for i := range t.shards {
		t.shards[i].entries = make(map[K]V)
	}
	return t
}

func (t *table[K, V]) get(k K) (V, bool) {
	s := &t.shards[t.hash(k)%shards]
	s.RLock()
	v, ok := s.entries[k]
	s.RUnlock()
	return v, ok
}

func (t *table[K, V]) put(k K, v V) {
	s := &t.shards[t.hash(k)%shards]
	s.Lock()
	defer s.Unlock()
	if _, known := s.entries[k]; !known && len(s.entries) >= t.most {
		for other := range s.entries {
			delete(s.entries, other)
			break
		}
	}
	s.entries[k] = v
}

func (t *table[K, V]) size() int {
	total := 0
	for i := range t.shards {
		t.shards[i].RLock()
		total += len(t.shards[i].entries)
		t.shards[i].RUnlock()
	}
	return total
}
