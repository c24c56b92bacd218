// Package notify sends NOTIFY. To phones that should take their configuration
// it sends one outside any dialog (it is the reload.Sender); to phones that
// subscribe to the dialog package it is the notifier of RFC 6665 and RFC 4235. It
// knows no store, no brand and no calls: subscriptions are kept, states are
// watched and passwords are derived by what it is given. It promises that a NOTIFY
// leaves by the flow its phone uses or not at all, that a subscription's NOTIFYs
// leave one after the other with growing numbers, across restarts too, and that
// nothing it answers tells whether an extension exists.
package notify
