package namewarden

import (
	"context"

	"github.com/coredns/coredns/plugin/metadata"
	"github.com/coredns/coredns/request"
)

const (
	labelAction = pluginName + "/action"
	labelReason = pluginName + "/reason"
	labelFamily = pluginName + "/family"
)

// Metadata implements the metadata.Provider interface: the labels are there from the beginning, and empty until the
// query was judged.
func (n *Namewarden) Metadata(ctx context.Context, _ request.Request) context.Context {
	for _, label := range []string{labelAction, labelReason, labelFamily} {
		metadata.SetValueFunc(ctx, label, func() string { return "" })
	}
	return ctx
}

func tellMetadata(ctx context.Context, said *verdict) {
	metadata.SetValueFunc(ctx, labelAction, func() string { return said.Action })
	metadata.SetValueFunc(ctx, labelReason, func() string { return said.Reason })
	metadata.SetValueFunc(ctx, labelFamily, func() string { return said.Family })
}
