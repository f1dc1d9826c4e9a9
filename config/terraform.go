package config

import (
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
)

// translate says what there is instead of a block or an argument that people
// know from Terraform, and in which block an argument belongs.
func translate(d *hcl.Diagnostic) {
	if d.Summary != "Unsupported block type" && d.Summary != "Unsupported argument" {
		return
	}
	_, rest, _ := strings.Cut(d.Detail, `"`)
	word, rest, _ := strings.Cut(rest, `"`)
	what, _, _ := strings.Cut(rest, ".")
	text := instead()[word]
	if text == "" && d.Summary == "Unsupported argument" {
		text = belongs(word)
	}
	if text != "" {
		begin, _, _ := strings.Cut(d.Detail, `"`)
		d.Detail = begin + `"` + word + `"` + what + ". " + text
	}
}

// belongs says in which block of a reservation, or of a station, an argument is.
func belongs(argument string) string {
	for name, schema := range nestedSchemas {
		if slices.ContainsFunc(schema.Attributes, func(a hcl.AttributeSchema) bool { return a.Name == argument }) {
			return "It belongs in a block " + name + " { … }."
		}
	}
	return ""
}

// instead is by words of Terraform's language that are not used here.
func instead() map[string]string {
	return map[string]string{
		"terraform":             "Here it is called resctl, with required_version and workspace.",
		"resource":              "There are reservation blocks, and station and token blocks for what they name.",
		"data":                  "Nothing is read from outside: tables come from csvdecode(file(…)) and the like, or from variables.",
		"provider":              "There are none: resctl speaks to stations itself, over OCPP.",
		"backend":               "The state is a file, which --state names.",
		"check":                 "A precondition in lifecycle is checked for each instance.",
		"ephemeral":             "Values that are secret come from variables with sensitive = true.",
		"provisioner":           "Nothing is run: a reservation is all that a station is asked for.",
		"postcondition":         "What stations answer is no part of the configuration; precondition is checked before anything is asked.",
		"depends_on":            "Nothing waits for another block: each station is asked for its reservations in the order of their windows.",
		"prevent_destroy":       "Here it is called prevent_cancel, and it is stored: to delete the block does not disarm it.",
		"ignore_changes":        "What stations do is no change of what is declared: on_removed and on_used in lifecycle say what follows from it.",
		"create_before_destroy": "The plan decides: a move asks the new station first (+/-); one EVSE cannot hold two reservations.",
		"replace_triggered_by":  "resctl apply --replace ADDRESS cancels a reservation and asks for it anew.",
	}
}
