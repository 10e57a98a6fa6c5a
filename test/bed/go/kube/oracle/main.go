// Oracle answers, line by line, what apimachinery makes of quantities, selectors, objects and patches. Each line on stdin is
// a JSON request, each line on stdout its JSON answer; an input that apimachinery refuses is answered with "error": true.
package main

import (
	"bufio"
	"encoding/json"
	"os"
	"strconv"

	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/labels"
)

type request struct {
	Kind   string            `json:"kind"`
	Text   string            `json:"text"`
	Other  string            `json:"other"`
	Values map[string]string `json:"values"`
	Object json.RawMessage   `json:"object"`
	Patch  json.RawMessage   `json:"patch"`
	Data   []byte            `json:"data"`
}

type answer struct {
	Error     bool   `json:"error,omitempty"`
	Canonical string `json:"canonical,omitempty"`
	Sum       string `json:"sum,omitempty"`
	Compare   int    `json:"compare"`
	Milli     string `json:"milli,omitempty"`
	Matches   bool   `json:"matches"`

	Object json.RawMessage `json:"object,omitempty"`
	Data   []byte          `json:"data,omitempty"`
}

func canonical(quantity resource.Quantity) string {
	number, suffix := quantity.CanonicalizeBytes(nil)
	return string(number) + string(suffix)
}

func quantities(in request) answer {
	a, err := resource.ParseQuantity(in.Text)
	if err != nil {
		return answer{Error: true}
	}
	b, err := resource.ParseQuantity(in.Other)
	if err != nil {
		return answer{Error: true}
	}
	sum := a.DeepCopy()
	sum.Add(b)
	out := answer{Canonical: canonical(a), Sum: canonical(sum), Compare: a.Cmp(b)}
	if a.Sign() > 0 && a.CmpInt64(1<<50) < 0 { // beyond, MilliValue is not exact
		out.Milli = strconv.FormatInt(a.MilliValue(), 10)
	}
	return out
}

func labelSelector(in request) answer {
	selector, err := labels.Parse(in.Text)
	if err != nil {
		return answer{Error: true}
	}
	return answer{Matches: selector.Matches(labels.Set(in.Values))}
}

func fieldSelector(in request) answer {
	selector, err := fields.ParseSelector(in.Text)
	if err != nil {
		return answer{Error: true}
	}
	return answer{Canonical: selector.String(), Matches: selector.Matches(fields.Set(in.Values))}
}

func main() {
	questions := map[string]func(request) answer{
		"quantity": quantities, "label": labelSelector, "field": fieldSelector,
		"encode": encode, "decode": decode, "merge": merge, "diff": diff, "tables": tables,
	}
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 1<<23)
	out := json.NewEncoder(os.Stdout)
	for lines.Scan() {
		var in request
		if err := json.Unmarshal(lines.Bytes(), &in); err != nil {
			panic(err)
		}
		if err := out.Encode(questions[in.Kind](in)); err != nil {
			panic(err)
		}
	}
}
