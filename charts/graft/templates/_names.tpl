{{- define "graft.fullname" -}}
{{- $name := contains .Chart.Name .Release.Name | ternary .Release.Name (printf "%s-%s" .Release.Name .Chart.Name) -}}
{{- $name | trunc 40 | trimSuffix "-" -}}
{{- end -}}

{{- define "graft.selector" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: operator
{{- end -}}

{{- define "graft.labels" -}}
{{ include "graft.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end -}}

{{/* Labels of a part that the administrator may label further: (list . .Values.part.labels) */}}
{{- define "graft.labelled" -}}
{{ include "graft.labels" (first .) }}
{{- with last . }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* An image by digest where there is one: (list . .Values.image) */}}
{{- define "graft.image" -}}
{{- $image := last . -}}
{{- if $image.digest -}}
{{ $image.repository }}@{{ $image.digest }}
{{- else -}}
{{ $image.repository }}:{{ $image.tag | default (first .).Chart.AppVersion }}
{{- end -}}
{{- end -}}

{{- define "graft.controlSecret" -}}
{{ .Values.control.existingSecret | default (printf "%s-control" (include "graft.fullname" .)) }}
{{- end -}}
