package namewarden

import (
	"github.com/coredns/coredns/plugin"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

// Labels are words of the contract and of the Corefile: no name, client or rule of anybody's is among them.
var (
	verdictsTotal = promauto.NewCounterVec(prometheus.CounterOpts{
		Namespace: plugin.Namespace,
		Subsystem: pluginName,
		Name:      "verdicts_total",
		Help:      "Counter of queries by what was said about them, of the name or of its answer.",
	}, []string{"server", "of", "action", "reason"})

	failuresTotal = promauto.NewCounterVec(prometheus.CounterOpts{
		Namespace: plugin.Namespace,
		Subsystem: pluginName,
		Name:      "failures_total",
		Help:      "Counter of queries without a verdict, by why and by what became of them.",
	}, []string{"server", "cause", "fail"})

	requestFailuresTotal = promauto.NewCounterVec(prometheus.CounterOpts{
		Namespace: plugin.Namespace,
		Subsystem: pluginName,
		Name:      "request_failures_total",
		Help:      "Counter of requests to a verdict service that brought no verdicts.",
	}, []string{"to"})

	requestDuration = promauto.NewHistogramVec(prometheus.HistogramOpts{
		Namespace: plugin.Namespace,
		Subsystem: pluginName,
		Name:      "request_duration_seconds",
		Buckets:   prometheus.ExponentialBuckets(0.00025, 2, 12), // 0.25 ms to 0.5 s
		Help:      "Histogram of the time a request to a verdict service took.",
	}, []string{"to"})

	batchSize = promauto.NewHistogram(prometheus.HistogramOpts{
		Namespace: plugin.Namespace,
		Subsystem: pluginName,
		Name:      "request_names",
		Buckets:   prometheus.ExponentialBuckets(1, 2, 8),
		Help:      "Histogram of how many names a request asked for.",
	})

	cacheHits = promauto.NewCounter(prometheus.CounterOpts{
		Namespace: plugin.Namespace,
		Subsystem: pluginName,
		Name:      "cache_hits_total",
		Help:      "Counter of verdicts that were known.",
	})

	cacheMisses = promauto.NewCounter(prometheus.CounterOpts{
		Namespace: plugin.Namespace,
		Subsystem: pluginName,
		Name:      "cache_misses_total",
		Help:      "Counter of verdicts that were asked for.",
	})

	cacheEntries = promauto.NewGaugeVec(prometheus.GaugeOpts{
		Namespace: plugin.Namespace,
		Subsystem: pluginName,
		Name:      "cache_entries",
		Help:      "Number of verdicts that are kept.",
	}, []string{"to"})

	eventsTotal = promauto.NewCounterVec(prometheus.CounterOpts{
		Namespace: plugin.Namespace,
		Subsystem: pluginName,
		Name:      "events_total",
		Help:      "Counter of queries by what became of their event.",
	}, []string{"result"})
)

// The results of events_total, by which its children are made once.
var (
	eventsSent     = eventsTotal.WithLabelValues("sent")
	eventsDropped  = eventsTotal.WithLabelValues("dropped")  // too many wait for the hub
	eventsRejected = eventsTotal.WithLabelValues("rejected") // the hub refused them for good
)
