<?php
/**
 * WHMCS provisioning module for Geocat Live.
 *
 * Every call returns at once: Geocat Live notes what is wanted and does it, and writes the result back into the service
 * (status, domain, dedicated IP, notes). Every call carries the service id as Idempotency-Key, so WHMCS may repeat it.
 *
 * Server form in WHMCS: Hostname = the host of Geocat Live, Access Hash (or Password) = an API token of an account that
 * holds the permission orders.serve_whmcs, Secure = on, Port = empty for the usual one.
 */

declare(strict_types=1);

if (!defined('WHMCS')) {
    die('This file cannot be accessed directly');
}

const GEOCATLIVE_TIMEOUT = 20;

function geocatlive_MetaData(): array
{
    return [
        'DisplayName' => 'Geocat Live',
        'APIVersion' => '1.1',
        'RequiresServer' => true,
        'DefaultNonSSLPort' => '80',
        'DefaultSSLPort' => '443',
        'ServiceSingleSignOnLabel' => 'Open the portal',
        'ListAccountsProductField' => 'configoption1',
        'ListAccountsUniqueIdentifierDisplayName' => 'Order',
        'ListAccountsUniqueIdentifierField' => 'username',
    ];
}

function geocatlive_ConfigOptions(array $params = []): array
{
    return [
        'plan' => [
            'FriendlyName' => 'Product and plan',
            'Type' => 'text',
            'Size' => '60',
            'Loader' => 'geocatlive_PlanLoader',
            'SimpleMode' => true,
            'Description' => 'What is ordered in Geocat Live.',
        ],
        'sandbox' => [
            'FriendlyName' => 'Sandbox',
            'Type' => 'yesno',
            'SimpleMode' => true,
            'Description' => 'Orders without real servers, to try it out.',
        ],
    ];
}

/** The plans on offer: "product/plan" => label. An exception is shown by WHMCS beside the field. */
function geocatlive_PlanLoader(array $params): array
{
    $plans = [];
    $path = '/api/v1/plans/?page_size=500';
    $answer = geocatlive_call($params, 'GET', $path);
    if ($answer['error'] !== '') {
        throw new Exception($answer['error']);
    }
    foreach ($answer['body']['results'] ?? [] as $plan) {
        $product = is_array($plan['product'] ?? null) ? (string) ($plan['product']['slug'] ?? '') : (string) ($plan['product'] ?? '');
        $slug = (string) ($plan['slug'] ?? '');
        if ($product !== '' && $slug !== '') {
            $plans[$product . '/' . $slug] = $product . ': ' . (string) ($plan['name'] ?? $slug);
        }
    }
    return $plans;
}

function geocatlive_CreateAccount(array $params): string
{
    $plan = geocatlive_plan($params);
    if ($plan === null) {
        return 'Choose a product and plan of Geocat Live in the module settings of this product.';
    }
    $answer = geocatlive_call($params, 'POST', '/api/v1/whmcs/services/', [
        'service_id' => geocatlive_serviceId($params),
        'client' => geocatlive_client($params),
        'product' => $plan[0],
        'plan' => $plan[1],
        'inputs' => (object) geocatlive_inputs($params),
        'sandbox' => in_array((string) ($params['configoption2'] ?? ''), ['on', '1', 'yes'], true),
    ]);
    if ($answer['error'] === '') {
        geocatlive_remember($params, (string) ($answer['body']['order'] ?? ''));
    }
    return geocatlive_result($answer);
}

function geocatlive_SuspendAccount(array $params): string
{
    $why = mb_substr((string) ($params['suspendreason'] ?? ''), 0, 500);
    return geocatlive_result(geocatlive_service($params, 'suspension', ['why' => $why]));
}

function geocatlive_UnsuspendAccount(array $params): string
{
    return geocatlive_result(geocatlive_service($params, 'resumption'));
}

function geocatlive_TerminateAccount(array $params): string
{
    $answer = geocatlive_service($params, 'removal');
    // A service that was never created has nothing to remove.
    return $answer['status'] === 404 ? 'success' : geocatlive_result($answer);
}

function geocatlive_ChangePackage(array $params): string
{
    $plan = geocatlive_plan($params);
    if ($plan === null) {
        return 'Choose a product and plan of Geocat Live in the module settings of this product.';
    }
    return geocatlive_result(geocatlive_service($params, 'upgrade', ['product' => $plan[0], 'plan' => $plan[1]]));
}

/** WHMCS bills the service; nothing changes in Geocat Live. */
function geocatlive_Renew(array $params): string
{
    return 'success';
}

function geocatlive_TestConnection(array $params): array
{
    $answer = geocatlive_call($params, 'GET', '/api/v1/whmcs/services/?page_size=1');
    return ['success' => $answer['error'] === '', 'error' => $answer['error']];
}

function geocatlive_ClientArea(array $params): array
{
    $answer = geocatlive_call($params, 'GET', '/api/v1/whmcs/services/' . geocatlive_serviceId($params) . '/');
    $service = $answer['error'] === '' ? $answer['body'] : [];
    return [
        'tabOverviewReplacementTemplate' => 'templates/overview.tpl',
        'templateVariables' => [
            'isAvailable' => $answer['error'] === '',
            'order' => (string) ($service['order'] ?? ''),
            'state' => (string) ($service['state'] ?? ''),
            'domain' => (string) ($service['domain'] ?? ''),
            'product' => (string) ($service['product'] ?? ''),
            'plan' => (string) ($service['plan'] ?? ''),
        ],
    ];
}

function geocatlive_AdminServicesTabFields(array $params): array
{
    $answer = geocatlive_call($params, 'GET', '/api/v1/whmcs/services/' . geocatlive_serviceId($params) . '/');
    if ($answer['error'] !== '') {
        return ['Geocat Live' => geocatlive_html($answer['error'])];
    }
    $service = $answer['body'];
    return [
        'Order in Geocat Live' => geocatlive_html((string) ($service['order'] ?? '')),
        'State' => geocatlive_html((string) ($service['state'] ?? '')),
        'Why' => geocatlive_html((string) ($service['reason'] ?? '')),
        'Reached at' => geocatlive_html(trim(($service['domain'] ?? '') . ' ' . ($service['ip'] ?? ''))),
    ];
}

function geocatlive_AdminCustomButtonArray(): array
{
    return ['Create again (harmless)' => 'createAgain'];
}

/** The button: the order is found, or made where it is missing. */
function geocatlive_createAgain(array $params): string
{
    return geocatlive_CreateAccount($params);
}

function geocatlive_ServiceSingleSignOn(array $params): array
{
    $email = (string) ($params['clientsdetails']['email'] ?? '');
    $answer = geocatlive_service($params, 'sign-on', ['email' => $email]);
    if ($answer['error'] !== '') {
        return ['success' => false, 'errorMsg' => $answer['error']];
    }
    return ['success' => true, 'redirectTo' => (string) ($answer['body']['url'] ?? '')];
}

function geocatlive_ListAccounts(array $params): array
{
    $status = ['active' => 'Active', 'degraded' => 'Active', 'suspended' => 'Suspended', 'removed' => 'Terminated'];
    $accounts = [];
    $path = '/api/v1/whmcs/services/?page_size=500';
    while ($path !== '') {
        $answer = geocatlive_call($params, 'GET', $path);
        if ($answer['error'] !== '') {
            return ['success' => false, 'error' => $answer['error']];
        }
        foreach ($answer['body']['results'] ?? [] as $service) {
            $accounts[] = [
                'email' => (string) ($service['email'] ?? ''),
                'username' => (string) ($service['order'] ?? ''),
                'domain' => '',
                'uniqueIdentifier' => (string) ($service['order'] ?? ''),
                'product' => ($service['product'] ?? '') . '/' . ($service['plan'] ?? ''),
                'primaryip' => '',
                'created' => str_replace('T', ' ', substr((string) ($service['created_at'] ?? ''), 0, 19)),
                'status' => $status[$service['state'] ?? ''] ?? 'Pending',
            ];
        }
        $next = parse_url((string) ($answer['body']['next'] ?? ''));
        $path = isset($next['path']) ? $next['path'] . (isset($next['query']) ? '?' . $next['query'] : '') : '';
    }
    return ['success' => true, 'accounts' => $accounts];
}

/** A POST to a noun of this service. */
function geocatlive_service(array $params, string $noun, array $body = []): array
{
    $path = '/api/v1/whmcs/services/' . geocatlive_serviceId($params) . '/' . $noun . '/';
    return geocatlive_call($params, 'POST', $path, $body);
}

/**
 * One call to the API.
 *
 * @return array{status: int, body: array, error: string} `error` is empty when the call was accepted.
 */
function geocatlive_call(array $params, string $method, string $path, ?array $body = null): array
{
    $token = geocatlive_token($params);
    if ($token === '') {
        return ['status' => 0, 'body' => [], 'error' => 'Enter the API token of Geocat Live as the access hash of the server.'];
    }
    $headers = ['Authorization: Bearer ' . $token, 'Accept: application/json', 'Content-Type: application/json'];
    if ($method === 'POST') {
        $headers[] = 'Idempotency-Key: ' . geocatlive_serviceId($params);
    }
    $request = curl_init(geocatlive_baseUrl($params) . $path);
    curl_setopt_array($request, [
        CURLOPT_CUSTOMREQUEST => $method,
        CURLOPT_HTTPHEADER => $headers,
        CURLOPT_RETURNTRANSFER => true,
        CURLOPT_FOLLOWLOCATION => false,
        CURLOPT_CONNECTTIMEOUT => 5,
        CURLOPT_TIMEOUT => GEOCATLIVE_TIMEOUT,
        CURLOPT_PROTOCOLS => CURLPROTO_HTTP | CURLPROTO_HTTPS,
    ]);
    if ($body !== null) {
        $json = json_encode($body === [] ? new stdClass() : $body, JSON_UNESCAPED_SLASHES | JSON_INVALID_UTF8_SUBSTITUTE);
        curl_setopt($request, CURLOPT_POSTFIELDS, (string) $json);
    }
    $text = curl_exec($request);
    $status = (int) curl_getinfo($request, CURLINFO_RESPONSE_CODE);
    $failure = curl_error($request);
    $answer = is_string($text) ? json_decode($text, true) : null;
    $answer = is_array($answer) ? $answer : [];
    $error = '';
    if (!is_string($text)) {
        $error = 'Geocat Live cannot be reached: ' . $failure;
    } elseif ($status === 401) {
        $error = 'Geocat Live does not accept the API token (access hash of the server).';
    } elseif ($status < 200 || $status >= 300) {
        $error = 'Geocat Live: ' . geocatlive_problem($answer, $status);
    }
    if (function_exists('logModuleCall')) {
        logModuleCall('geocatlive', $method . ' ' . $path, $body ?? [], is_string($text) ? $text : $failure, $answer, [$token]);
    }
    return ['status' => $status, 'body' => $answer, 'error' => $error];
}

/** What an RFC 9457 problem says: each error with its field, or else the one sentence. */
function geocatlive_problem(array $answer, int $status): string
{
    $sentences = [];
    foreach (is_array($answer['errors'] ?? null) ? $answer['errors'] : [] as $field => $messages) {
        $text = implode(' ', array_filter(is_array($messages) ? $messages : [$messages], 'is_string'));
        // An input of the product comes from a custom field of this name.
        $sentences[] = preg_replace('/^inputs\./', 'live_', (string) $field) . ': ' . $text;
    }
    if ($sentences !== []) {
        return implode(' ', $sentences);
    }
    foreach (['detail', 'title'] as $key) {
        if (isset($answer[$key]) && is_string($answer[$key]) && $answer[$key] !== '') {
            return $answer[$key];
        }
    }
    return 'HTTP status ' . $status;
}

function geocatlive_result(array $answer): string
{
    return $answer['error'] === '' ? 'success' : $answer['error'];
}

function geocatlive_baseUrl(array $params): string
{
    $host = (string) ($params['serverhostname'] ?? '');
    $host = $host !== '' ? $host : (string) ($params['serverip'] ?? '');
    $isSecure = !in_array((string) ($params['serversecure'] ?? 'on'), ['', '0', 'off', 'false'], true);
    $port = (string) ($params['serverport'] ?? '');
    return ($isSecure ? 'https' : 'http') . '://' . $host . ($port !== '' ? ':' . $port : '');
}

function geocatlive_token(array $params): string
{
    $hash = trim((string) ($params['serveraccesshash'] ?? ''));
    return $hash !== '' ? $hash : trim((string) ($params['serverpassword'] ?? ''));
}

function geocatlive_serviceId(array $params): int
{
    return (int) ($params['serviceid'] ?? 0);
}

/** [product, plan] from "product/plan", or null. */
function geocatlive_plan(array $params): ?array
{
    $parts = explode('/', trim((string) ($params['configoption1'] ?? '')));
    return count($parts) === 2 && $parts[0] !== '' && $parts[1] !== '' ? $parts : null;
}

/** The fields of the client that Geocat Live reads; never a password. */
function geocatlive_client(array $params): array
{
    $details = is_array($params['clientsdetails'] ?? null) ? $params['clientsdetails'] : [];
    $names = [
        'firstname', 'lastname', 'companyname', 'email', 'address1', 'address2', 'city', 'state', 'fullstate',
        'postcode', 'countrycode', 'country', 'phonenumber', 'phonenumberformatted', 'tax_id', 'currency_code',
        'language', 'status',
    ];
    $client = ['userid' => (int) ($params['userid'] ?? $details['userid'] ?? 0)];
    foreach ($names as $name) {
        if (isset($details[$name]) && is_scalar($details[$name])) {
            $client[$name] = (string) $details[$name];
        }
    }
    return $client + ['status' => 'Active'];
}

/** Custom fields and configurable options named "key|Label" are inputs of the product. */
function geocatlive_inputs(array $params): array
{
    $inputs = [];
    foreach (['customfields', 'configoptions'] as $source) {
        foreach (is_array($params[$source] ?? null) ? $params[$source] : [] as $name => $value) {
            $key = trim(explode('|', (string) $name)[0]);
            if (preg_match('/^live_([a-z][a-z0-9_]*)$/', $key, $found) === 1 && is_scalar($value) && (string) $value !== '') {
                $inputs[$found[1]] = (string) $value;
            }
        }
    }
    return $inputs;
}

/** The order's reference is the service's user name, by which ListAccounts finds it. */
function geocatlive_remember(array $params, string $reference): void
{
    $model = $params['model'] ?? null;
    if ($reference !== '' && is_object($model) && isset($model->serviceProperties)) {
        $model->serviceProperties->save(['username' => $reference]);
    }
}

function geocatlive_html(string $text): string
{
    return htmlspecialchars($text, ENT_QUOTES, 'UTF-8');
}
