// one
// {{ nowhere }} {page}
{% include "partials/gone.ts" %}
