"""The employee's addresses, on the company's host."""

from django.urls import include, path

from benefits.catalogue.models import Product
from benefits.web.portal import brand, catalogue, me, orders, receipt, redeem, wallet

portal = [
    path("benefits/", catalogue.index, name="catalogue"),
    path("benefits/<slug:slug>/", redeem.product, name="product"),
    path("benefits/<slug:slug>/sizes/", redeem.faces, name="faces"),
    path("benefits/<slug:slug>/confirm/", redeem.confirmed, name="confirm"),
    path("top-up/", redeem.top_up, {"kind": Product.Kind.TOP_UP}, name="top_up"),
    path("data/", redeem.top_up, {"kind": Product.Kind.DATA}, name="data"),
    path("orders/", orders.index, name="orders"),
    path("orders/<slug:number>/", orders.order, name="order"),
    path("orders/<slug:number>/live/", orders.live, name="live"),
    path("orders/<slug:number>/cancel/", orders.cancel, name="cancel"),
    path("orders/<slug:number>/receipt.json", receipt.receipt, name="receipt"),
    path("orders/<slug:number>/again/", redeem.again, name="again"),
    path("orders/<slug:number>/codes/<int:item>/", orders.reveal, name="reveal"),
    path("wallet/", wallet.wallet, name="wallet"),
    path("me/", me.me, name="me"),
    path("me/preferences/", me.prefer, name="prefer"),
]

urlpatterns = [
    path("brand.css", brand.brand_css, name="brand_css"),
    path("", include((portal, "portal"))),
]
