<?php
/**
 * Hooks of WHMCS that Geocat Live follows. Each is signed, sent once, and never holds WHMCS up for longer than three
 * seconds: what is lost is found by the next sync.
 *
 * configuration.php:
 *   $geocatlive_url = 'https://live.example';
 *   $geocatlive_webhook_secret = '…';  // WHMCS_WEBHOOK_SECRET of Geocat Live
 */

declare(strict_types=1);

if (!defined('WHMCS')) {
    die('This file cannot be accessed directly');
}

if (!function_exists('geocatlive_send_hook')) {
    /** True when Geocat Live accepted the hook. */
    function geocatlive_send_hook(array $content): bool
    {
        $url = rtrim((string) ($GLOBALS['geocatlive_url'] ?? ''), '/');
        $secret = (string) ($GLOBALS['geocatlive_webhook_secret'] ?? '');
        if ($url === '' || $secret === '') {
            return false;
        }
        $body = (string) json_encode($content, JSON_UNESCAPED_SLASHES | JSON_INVALID_UTF8_SUBSTITUTE);
        $time = (string) time();
        $signature = 't=' . $time . ',v1=' . hash_hmac('sha256', $time . '.' . $body, $secret);
        $request = curl_init($url . '/hooks/whmcs/');
        curl_setopt_array($request, [
            CURLOPT_POST => true,
            CURLOPT_POSTFIELDS => $body,
            CURLOPT_HTTPHEADER => ['Content-Type: application/json', 'X-Live-Signature: ' . $signature],
            CURLOPT_RETURNTRANSFER => true,
            CURLOPT_CONNECTTIMEOUT => 2,
            CURLOPT_TIMEOUT => 3,
            CURLOPT_PROTOCOLS => CURLPROTO_HTTP | CURLPROTO_HTTPS,
        ]);
        curl_exec($request);
        $status = (int) curl_getinfo($request, CURLINFO_RESPONSE_CODE);
        if ($status !== 202 && function_exists('logActivity')) {
            logActivity('Geocat Live did not accept the hook ' . (string) ($content['hook'] ?? '') . ': HTTP status ' . $status);
        }
        return $status === 202;
    }

    /** The services that an invoice is about. */
    function geocatlive_services_of_invoice(int $invoiceId): array
    {
        $invoice = function_exists('localAPI') ? localAPI('GetInvoice', ['invoiceid' => $invoiceId]) : [];
        $services = [];
        foreach ($invoice['items']['item'] ?? [] as $item) {
            if (($item['type'] ?? '') === 'Hosting' && (int) ($item['relid'] ?? 0) > 0) {
                $services[] = (int) $item['relid'];
            }
        }
        return array_values(array_unique($services));
    }
}

foreach (['ClientAdd', 'ClientEdit', 'ClientClose'] as $hook) {
    add_hook($hook, 90, static function (array $vars) use ($hook): void {
        geocatlive_send_hook(['hook' => $hook, 'client_id' => (int) ($vars['client_id'] ?? $vars['userid'] ?? 0)]);
    });
}

add_hook('AfterClientMerge', 90, static function (array $vars): void {
    geocatlive_send_hook([
        'hook' => 'AfterClientMerge',
        'from_id' => (int) ($vars['fromUserID'] ?? 0),
        'to_id' => (int) ($vars['toUserID'] ?? 0),
    ]);
});

add_hook('InvoicePaid', 90, static function (array $vars): void {
    $invoiceId = (int) ($vars['invoiceid'] ?? 0);
    geocatlive_send_hook([
        'hook' => 'InvoicePaid',
        'invoice_id' => $invoiceId,
        'service_ids' => geocatlive_services_of_invoice($invoiceId),
    ]);
});

add_hook('CancellationRequest', 90, static function (array $vars): void {
    geocatlive_send_hook([
        'hook' => 'CancellationRequest',
        'service_id' => (int) ($vars['relid'] ?? 0),
        'type' => (string) ($vars['type'] ?? ''),
        'reason' => mb_substr((string) ($vars['reason'] ?? ''), 0, 500),
    ]);
});
