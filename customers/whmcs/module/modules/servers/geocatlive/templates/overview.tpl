{if $isAvailable}
<dl class="geocatlive">
    <dt>State</dt><dd>{$state|escape}</dd>
    <dt>Order</dt><dd>{$order|escape}</dd>
    <dt>Product</dt><dd>{$product|escape} · {$plan|escape}</dd>
    {if $domain}<dt>Reached at</dt><dd><a href="https://{$domain|escape}/">{$domain|escape}</a></dd>{/if}
</dl>
{else}
<p>The state of this service is not available at the moment.</p>
{/if}
