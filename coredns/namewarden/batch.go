package namewarden

import (
	"bytes"
	"encoding/binary"
	"math"
	"strings"
)

const eventSchema = 1

// textColumns are the texts of an event, in the order of event.texts.
var textColumns = [...]string{"client", "name", "rule", "cnames", "addresses"}

func (e *event) texts() [len(textColumns)]string {
	return [...]string{e.client, e.name, e.rule, e.cnames, e.addresses}
}

// identity is what two events share that are folded into one.
type identity struct {
	fact   uint32
	texts  [len(textColumns)]string
	second int64
}

// batch gathers events as columns, as events/batch.py reads them. Repeats within a second are one row with a count.
type batch struct {
	facts map[fact]uint32
	order []*fact
	rows  map[identity]int

	codes, times, durations, scores []byte // little-endian
	counts                          []uint32
	texts                           [len(textColumns)]strings.Builder
	queries                         uint64
	octets                          int // of the texts
}

func newBatch() *batch {
	return &batch{facts: make(map[fact]uint32), rows: make(map[identity]int)}
}

func (b *batch) isEmpty() bool { return len(b.counts) == 0 }

func (b *batch) isFull() bool { return len(b.counts) >= rowsMost || b.octets >= octetsMost }

func (b *batch) add(e *event) {
	b.queries++
	is := identity{b.code(&e.fact), e.texts(), e.time.Unix()}
	if row, known := b.rows[is]; known {
		b.counts[row]++
		return
	}
	b.rows[is] = len(b.counts)
	b.codes = binary.LittleEndian.AppendUint32(b.codes, is.fact)
	b.times = appendFloat(b.times, float64(e.time.UnixNano())/1e9)
	b.durations = appendFloat(b.durations, e.duration.Seconds())
	score := math.NaN() // not scored
	if e.score != nil {
		score = *e.score
	}
	b.scores = appendFloat(b.scores, score)
	for column, text := range is.texts {
		b.addText(column, text)
	}
	b.counts = append(b.counts, 1)
}

func (b *batch) code(f *fact) uint32 {
	code, known := b.facts[*f]
	if !known {
		code = uint32(len(b.order))
		b.facts[*f] = code
		b.order = append(b.order, f)
	}
	return code
}

func appendFloat(column []byte, value float64) []byte {
	return binary.LittleEndian.AppendUint64(column, math.Float64bits(value))
}

// addText adds a line. A line break in it would be another line.
func (b *batch) addText(column int, text string) {
	if len(b.counts) > 0 {
		b.texts[column].WriteByte('\n')
	}
	b.texts[column].WriteString(strings.ToValidUTF8(strings.ReplaceAll(text, "\n", `\010`), "?"))
	b.octets += len(text)
}

func (b *batch) countColumn() []byte {
	column := make([]byte, 0, 4*len(b.counts))
	for _, count := range b.counts {
		column = binary.LittleEndian.AppendUint32(column, count)
	}
	return column
}

// head is what a batch says besides its events.
type head struct {
	run      string
	sequence uint64
	first    uint64 // number of its first event within the run
	dropped  uint64 // since the batch before
	counters map[string]uint64
	waiting  int
	isLast   bool
}

// toWire is the message that events/batch.py reads.
func (b *batch) toWire(h head) []byte {
	p := new(packer)
	p.mapOf(15)
	p.text("run").text(h.run)
	p.text("sequence").number(h.sequence)
	p.text("source").text(eventSource)
	p.text("worker").number(0)
	p.text("first").number(h.first)
	p.text("rows").number(uint64(len(b.counts)))
	b.packFacts(p)
	b.packColumns(p)
	p.text("dropped_events").number(h.dropped)
	p.text("dropped_queries").number(h.dropped)
	p.text("counters").mapOf(len(h.counters))
	for name, value := range h.counters {
		p.text(name).number(value)
	}
	p.text("gauges").mapOf(1).text("events_waiting").float(float64(h.waiting))
	p.text("last").boolean(h.isLast)
	p.text("schema").number(eventSchema)
	return p.Bytes()
}

func (b *batch) packFacts(p *packer) {
	p.text("facts").arrayOf(len(b.order))
	for _, each := range b.order {
		words := each.words()
		p.arrayOf(len(words))
		for _, word := range words {
			p.text(word)
		}
	}
}

func (b *batch) packColumns(p *packer) {
	p.text("numbers").mapOf(5)
	p.text("fact").octets(b.codes)
	p.text("time").octets(b.times)
	p.text("duration").octets(b.durations)
	p.text("score").octets(b.scores)
	p.text("count").octets(b.countColumn())
	p.text("texts").mapOf(len(textColumns))
	for column, name := range textColumns {
		p.text(name).text(b.texts[column].String())
	}
}

// packer writes MessagePack, as much of it as a batch needs: one width of each kind.
type packer struct{ bytes.Buffer }

func (p *packer) sized(kind byte, size int) *packer {
	p.Write(binary.BigEndian.AppendUint32([]byte{kind}, uint32(size)))
	return p
}

func (p *packer) mapOf(size int) *packer   { return p.sized(0xdf, size) }
func (p *packer) arrayOf(size int) *packer { return p.sized(0xdd, size) }

func (p *packer) number(value uint64) {
	p.Write(binary.BigEndian.AppendUint64([]byte{0xcf}, value))
}

func (p *packer) float(value float64) {
	p.Write(binary.BigEndian.AppendUint64([]byte{0xcb}, math.Float64bits(value)))
}

func (p *packer) boolean(value bool) {
	p.WriteByte(map[bool]byte{false: 0xc2, true: 0xc3}[value])
}

func (p *packer) text(value string) *packer {
	p.sized(0xdb, len(value)).WriteString(value)
	return p
}

func (p *packer) octets(value []byte) {
	p.sized(0xc6, len(value)).Write(value)
}
