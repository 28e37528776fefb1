"""The controllers that bring servers, compositions and endpoints where an order wants them."""
