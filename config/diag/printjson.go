package diag

import (
	"encoding/json"

	"github.com/hashicorp/hcl/v2"
)

// JSONDiagnostic is a diagnostic in Terraform's JSON shape, with the stable code.
type JSONDiagnostic struct {
	Severity string     `json:"severity"` // "error" or "warning"
	Code     string     `json:"code,omitempty"`
	Summary  string     `json:"summary"`
	Detail   string     `json:"detail"`
	Address  string     `json:"address,omitempty"`
	Repeats  int        `json:"repeats,omitempty"` // further ones at the same place
	Range    *JSONRange `json:"range,omitempty"`
	Snippet  *Snippet   `json:"snippet,omitempty"`
}

// JSONRange is a place in a file.
type JSONRange struct {
	Filename string       `json:"filename"`
	Start    JSONPosition `json:"start"`
	End      JSONPosition `json:"end"`
}

// JSONPosition counts lines and columns from 1, bytes from 0.
type JSONPosition struct {
	Line   int `json:"line"`
	Column int `json:"column"`
	Byte   int `json:"byte"`
}

// JSON gives the diagnostics that were kept, sorted by place, for encoding.
func (ds *Diagnostics) JSON() []JSONDiagnostic {
	all := ds.All()
	out := make([]JSONDiagnostic, 0, len(all))
	for _, d := range all {
		j := JSONDiagnostic{Severity: "error", Code: CodeOf(d), Address: AddressOf(d), Summary: d.Summary, Detail: d.Detail}
		if d.Severity == hcl.DiagWarning {
			j.Severity = "warning"
		}
		if e, ok := d.Extra.(*extra); ok {
			j.Repeats = e.repeats
		}
		if r := d.Subject; r != nil {
			j.Range = &JSONRange{r.Filename, JSONPosition(r.Start), JSONPosition(r.End)}
		}
		if s := ds.snippet(d); s != nil && !s.hidden {
			j.Snippet = s
		}
		out = append(out, j)
	}
	return out
}

// MarshalJSON writes what JSON gives.
func (ds *Diagnostics) MarshalJSON() ([]byte, error) { return json.Marshal(ds.JSON()) }
