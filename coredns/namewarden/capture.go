package namewarden

import (
	"github.com/coredns/coredns/plugin/pkg/nonwriter"

	"github.com/miekg/dns"
)

// capture holds an answer back until it is judged, and hears who gave it.
type capture struct {
	nonwriter.Writer
	plugin string
}

func newCapture(w dns.ResponseWriter) capture {
	return capture{Writer: nonwriter.Writer{ResponseWriter: w}}
}

// Write takes an answer in wire format as any other: nonwriter would let it pass.
func (c *capture) Write(octets []byte) (int, error) {
	m := new(dns.Msg)
	if err := m.Unpack(octets); err != nil {
		return 0, err
	}
	return len(octets), c.WriteMsg(m)
}

// SetPlugin implements the plugin.PluginTracker interface.
func (c *capture) SetPlugin(name string) { c.plugin = name }

// GetPlugin implements the plugin.PluginTracker interface.
func (c *capture) GetPlugin() string { return c.plugin }
