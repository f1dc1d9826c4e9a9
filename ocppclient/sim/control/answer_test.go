package control_test

import (
	"encoding/json"
	"net/http"
	"regexp"
	"strings"
	"testing"
)

func TestStations(t *testing.T) {
	d := newDepot(t, false, "no_update", "skew=-5m0s")
	reserve(d.session(), 41, 2)
	status, text := d.ask(http.MethodGet, at, "")
	text = regexp.MustCompile(`"20[0-9T:.-]+Z"`).ReplaceAllString(text, `"WHEN"`)
	const want = `{"format_version":"1.0","station":{"id":"DEPOT/1","connected":true,"accepted":true,"evses":[` +
		`{"evse_id":1,"status":"Available","reported":"Available","connector_types":["cCCS2"],"plugged":false},` +
		`{"evse_id":2,"status":"Reserved","reported":"Reserved","connector_types":["cType2"],"plugged":false}],` +
		`"reservations":[{"reservation_id":41,"evse_id":2,"expiry_date_time":"WHEN","for_group":true}],` +
		`"queued":0,"quirks":["no_update","skew=-5m0s"],"calls":{"ReserveNow":1}}}` + "\n"
	if status != http.StatusOK || text != want {
		t.Errorf("%d\n got %s\nwant %s", status, text, want)
	}
	var all struct {
		Version  string `json:"format_version"`
		Stations []struct{ ID string }
	}
	if _, text := d.ask(http.MethodGet, "/stations", ""); json.Unmarshal([]byte(text), &all) != nil || len(all.Stations) != 1 || all.Stations[0].ID != "DEPOT/1" {
		t.Error(text)
	}
	if _, text := d.ask(http.MethodGet, "/", ""); text != `{"format_version":"1.0","stations":1,"connected":1}`+"\n" {
		t.Error(text)
	}
}

func TestTokensShowOnRequestAlone(t *testing.T) {
	for _, show := range []bool{false, true} {
		d := newDepot(t, show)
		reserve(d.session(), 41, 1)
		_, text := d.ask(http.MethodGet, "/stations", "")
		shown := strings.Contains(text, `"id_token":{"id_token":"VAN-1","type":"Central"},"group_id_token":{"id_token":"DEPOT","type":"Central"}`)
		if shown != show || strings.Contains(text, "VAN-1") != show {
			t.Errorf("shown %t, want %t: %s", shown, show, text)
		}
	}
}
