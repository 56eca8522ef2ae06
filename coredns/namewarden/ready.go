package namewarden

// Ready implements the ready.Readiness interface. With fail open DNS is served whether a service answers or not.
func (n *Namewarden) Ready() bool {
	n.start()
	return !n.isClosed || n.asker.isAnyReady()
}
