{{- define "selvedge.selector" -}}
app.kubernetes.io/name: cloud-manager
{{- end }}

{{- define "selvedge.metadata" -}}
namespace: {{ .Release.Namespace }}
labels:
  {{- include "selvedge.selector" . | nindent 2 }}
  app.kubernetes.io/part-of: selvedge
  app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
  app.kubernetes.io/managed-by: {{ .Release.Service }}
  helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version | replace "+" "_" }}
{{- end }}

{{- define "selvedge.image" -}}
{{- with .Values.image -}}
{{- if .digest -}}
{{ .repository }}@{{ .digest }}
{{- else -}}
{{ .repository }}:{{ .tag | default $.Chart.AppVersion }}
{{- end -}}
{{- end -}}
{{- end }}

{{- /* What listens, by the name of its port; parts that the config does not have are left out. As YAML. */ -}}
{{- define "selvedge.ports" -}}
{{- with .Values.config -}}
{{- $parts := dict "tunnel" (first .tunnel.listen) "health" .health.listen -}}
{{- with .egress }}{{ with .tls }}{{ $_ := set $parts "egress" .listen }}{{ end }}{{ end -}}
{{- with .connectProxy }}{{ $_ := set $parts "connect" .listen }}{{ end -}}
{{- with .kubeletProxy }}{{ $_ := set $parts "kubelets" .listen }}{{ end -}}
{{- with .webhook }}{{ $_ := set $parts "webhook" .listen }}{{ end -}}
{{- range $name, $listen := $parts }}
{{ $name }}: {{ regexFind "[0-9]+$" $listen }}
{{- end -}}
{{- end -}}
{{- end }}
