package namewarden

import (
	"context"
	"time"

	"github.com/coredns/coredns/plugin"

	"github.com/miekg/dns"
)

// asked is a query as it came, before rewrite made another of it.
type asked struct {
	name  string
	qtype uint16
	at    time.Time
}

type askedKey struct{}

// remember is the outermost handler: it lays down what was asked. Rewrite changes the message itself, and keeps the
// question to itself.
type remember struct{ next plugin.Handler }

// ServeDNS implements the plugin.Handler interface.
func (h remember) ServeDNS(ctx context.Context, w dns.ResponseWriter, r *dns.Msg) (int, error) {
	if len(r.Question) > 0 {
		ctx = context.WithValue(ctx, askedKey{}, newAsked(r))
	}
	return h.next.ServeDNS(ctx, w, r)
}

// Name implements the plugin.Handler interface.
func (h remember) Name() string { return pluginName + "/asked" }

func newAsked(r *dns.Msg) *asked {
	return &asked{name: plainName(r.Question[0].Name), qtype: r.Question[0].Qtype, at: time.Now()}
}

// askedOf is what was asked, or what is asked now where nobody remembers.
func askedOf(ctx context.Context, r *dns.Msg) *asked {
	if known, ok := ctx.Value(askedKey{}).(*asked); ok {
		return known
	}
	return newAsked(r)
}
