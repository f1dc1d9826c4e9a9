package api_test

import (
	"net/http"
	"net/url"
	"slices"
	"testing"

	"github.com/resctl/resctl/api"
)

// FuzzRequests: whatever somebody asks who may look and plan, the server has an
// answer that is none of a failure, and nothing is stored.
func FuzzRequests(f *testing.F) {
	n := connect(f)
	n.populate(f)
	stored, err := n.near.Last(f.Context())
	if err != nil {
		f.Fatal(err)
	}
	routes := slices.DeleteFunc(api.Routes(), func(x api.Route) bool { return x.Path == "/v1/events" }) // which never ends
	for i, x := range routes {
		f.Add(uint(i), "workspace=depot&address=reservation.van&station=DEPOT-1&grace=5m&after=1", bodies("depot")[x.Path])
		f.Add(uint(i), "from=2037-01-01T00:00:00Z&until=2037-01-02T00:00:00Z&since=1h", "{}")
	}
	f.Fuzz(func(t *testing.T, which uint, query, body string) {
		x := routes[which%uint(len(routes))]
		q, err := url.ParseQuery(query)
		if err != nil {
			return
		}
		status, _, text := n.ask(t, x.Method, x.Path+"?"+q.Encode(), "secret-of-plan", body)
		if status == http.StatusInternalServerError {
			t.Errorf("%s %s?%s %s: %d %s", x.Method, x.Path, q.Encode(), body, status, text)
		}
		if last, err := n.near.Last(t.Context()); err != nil || last != stored {
			t.Errorf("%s %s?%s %s: the journal has %d lines and had %d, %v", x.Method, x.Path, q.Encode(), body, last, stored, err)
		}
	})
}
